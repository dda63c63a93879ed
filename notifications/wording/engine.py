"""Renders templates to lines: the language of transforms (docs/adr/0029), with the filters for messages."""

from collections.abc import Mapping
from typing import Any

from jinja2 import ChainableUndefined, StrictUndefined, pass_context

from notifications.wording import filters
from notifications.wording.languages import Reader
from wedsync.templating.filters import CannotRender
from wedsync.templating.language import Language, render_in

_OPTIONS = {"trim_blocks": True, "lstrip_blocks": True}
_printed = pass_context(filters.printed)
_strict = Language(StrictUndefined, filters.FILTERS, _printed, **_OPTIONS)
_lenient = Language(ChainableUndefined, filters.FILTERS, _printed, **_OPTIONS)


def lines(source: str, facts: Mapping[str, Any], reader: Reader, *, strict: bool = False) -> list[str]:
    """The lines that a template renders, without empty ones.

    Arguments:
        strict: a missing field is an error; otherwise it renders as nothing.

    Raises:
        CannotRender: with a reason for staff; an empty result is an error too.
    """
    token = filters.reading.set(reader)
    try:
        text = render_in(_strict if strict else _lenient, source, facts)
    finally:
        filters.reading.reset(token)
    found = [line for line in (" ".join(each.split()) for each in text.splitlines()) if line]
    if not found:
        raise CannotRender("it says nothing")
    return found
