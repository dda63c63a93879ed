"""Checks a template before it is saved, by rendering it with the examples of its event type."""

import re
from collections.abc import Iterator
from typing import Any

from babel import Locale, UnknownLocaleError

from integrations.rules import examples
from notifications.channels.base import EXAMPLE_RECIPIENT
from notifications.channels.registry import CHANNELS
from notifications.wording import engine
from notifications.wording.languages import Reader, reader
from notifications.wording.writing import DIGEST, FALLBACK
from wedsync.live.event_types.catalogue import CATALOGUE, is_known
from wedsync.templating.filters import CannotRender
from wedsync.weddings.models import ContactChannel

LONGEST_TEXT = 8000
_LOCALE = re.compile(r"[a-z]{2,3}(-[A-Z]{2})?")
_ZONE = "Europe/Vienna"
_DIGESTED = "timeline.updated"
_HEADLINES = ["Timeline of the wedding of Anna & Ben changed"] * 3


class TemplateFault(ValueError):
    """A template that must not be saved. ``field``: the field that staff have to change."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(why)
        self.field = field


def check(text: str, event_type: str, channel: str, locale: str) -> None:
    """Refuse a template that could not be sent as intended.

    Arguments:
        event_type: from the catalogue, or ``fallback`` or ``digest``.
        channel: empty for every channel, in which case the strictest limits apply.

    Raises:
        TemplateFault: why, in a sentence for staff.
    """
    read_by = _reader(locale)
    if len(text) > LONGEST_TEXT:
        raise TemplateFault("text", f"The text has {len(text)} characters; the limit is {LONGEST_TEXT}.")
    for name, facts in _examples(event_type):
        try:
            lines = engine.lines(text, facts, read_by, strict=True)
        except CannotRender as error:
            tried = f" (tried with {name})" if event_type == FALLBACK else ""
            raise TemplateFault("text", f"It cannot be rendered: {error}{tried}.") from error
        _check_fit(lines, channel, locale)


def _reader(locale: str) -> Reader:
    try:
        if not _LOCALE.fullmatch(locale):
            raise ValueError(locale)
        Locale.parse(locale, sep="-")
    except (ValueError, UnknownLocaleError) as error:
        raise TemplateFault(
            "locale", f"“{locale[:20]}” is not a known language; write de, or de-AT for one region."
        ) from error
    return reader(locale, _ZONE, locale.split("-")[0])


def _examples(event_type: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The event types and facts that a template is tried with."""
    contact = {"contact": {"name": EXAMPLE_RECIPIENT, "role": "couple"}}
    if event_type == DIGEST:
        counted = {"count": 5, "top": _HEADLINES, "more": 2}
        yield _DIGESTED, {**examples.facts(_DIGESTED), **contact, **counted}
    elif is_known(event_type) or event_type == FALLBACK:
        for name in CATALOGUE if event_type == FALLBACK else [event_type]:
            yield name, {**examples.facts(name), **contact}
    else:
        raise TemplateFault("event_type", f"There is no event type “{event_type[:64]}”.")


def _check_fit(lines: list[str], channel: str, locale: str) -> None:
    """Refuse what is too long for WhatsApp, which would be cut off in the middle of a sentence."""
    concerned = [CHANNELS[channel]] if channel else list(CHANNELS.values())
    longest = min(each.longest_headline for each in concerned)
    where = ContactChannel(channel).label if channel else "every channel"
    if len(lines[0]) > longest:
        said = f"With an example the headline has {len(lines[0])} characters; the limit for {where} is {longest}."
        raise TemplateFault("text", said)
    for each in concerned:
        if reason := each.overlong(lines, locale, alone=bool(channel)):
            raise TemplateFault("text", reason)
