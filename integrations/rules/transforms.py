"""How a route transforms an event: by a mapping of fields, or by a template. docs/staff/routes.md, "Transforms".

For a system the result is sent as ``payload``; for people it may hold ``headline`` and ``text``, which replace our own
words.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from integrations.rules import examples
from integrations.rules.facts import Facts, check_path, facts_of, find, is_many
from wedsync.live.models import ChannelEvent
from wedsync.templating import language
from wedsync.templating.filters import MOST_CHARACTERS, CannotRender
from wedsync.wire import strict_json
from wedsync.wire.strict_json import NotStrictJson

MOST_FIELDS = 100
FOR_PEOPLE = frozenset({"headline", "text"})
CONSTANT = "const"


class CannotTransform(ValueError):
    """There is no result; the message tells staff why."""


@dataclass(frozen=True)
class Transform:
    """A mapping of their fields to our paths, or a template. ``for_people``: its result replaces our own words."""

    mapping: Mapping[str, Any]
    template: str
    for_people: bool = False


def apply(transform: Transform, event: ChannelEvent) -> dict[str, Any]:
    """The event, transformed.

    Raises:
        CannotTransform: the template or mapping fails on this event.
    """
    result = _result(transform.mapping, transform.template, facts_of(event))
    if transform.for_people:
        _check_words(result)
    return result


def check_mapping(mapping: object, types: Iterable[str], *, for_people: bool) -> None:
    """Refuse an invalid mapping, and one that no event could fill.

    Arguments:
        types: the event types that it will be used on.

    Raises:
        CannotTransform: worded for the field of a form.
    """
    if not isinstance(mapping, dict) or len(mapping) > MOST_FIELDS:
        raise CannotTransform(f"Write an object of at most {MOST_FIELDS} fields, each with their field and our path.")
    met = [examples.facts(name) for name in types]
    for theirs, ours in mapping.items():
        _check_field(theirs, ours, met)
    if clash := _clash(mapping):
        raise CannotTransform(f"{clash} cannot be both a value and an object.")
    if for_people:
        _check_words({name: "" if isinstance(ours, str) else ours[CONSTANT] for name, ours in mapping.items()})


def _check_field(theirs: str, ours: object, met: list[Facts]) -> None:
    try:
        check_path(theirs)
    except ValueError as error:
        raise CannotTransform(f"“{theirs}” is not a field: join names by dots, as in guests.expected.") from error
    if isinstance(ours, dict) and set(ours) == {CONSTANT}:
        return
    if not isinstance(ours, str):
        raise CannotTransform(f'{theirs}: write our path, or {{"const": …}} for a fixed value.')
    try:
        check_path(ours)
    except ValueError as error:
        raise CannotTransform(f"{theirs}: {error}.") from error
    if not any(find(ours, facts) for facts in met):
        raise CannotTransform(f"{theirs}: no event that the route accepts has a field {ours}.")


def _clash(mapping: Mapping[str, object]) -> str | None:
    inner = {theirs.rsplit(".", count)[0] for theirs in mapping for count in range(1, theirs.count(".") + 1)}
    return min(inner & set(mapping), default=None)


def check_template(template: str, types: Iterable[str], *, for_people: bool) -> None:
    """Try a template on an example of each event type: with all fields, then without the optional ones.

    Raises:
        CannotTransform: naming the type that it fails on, worded for the field of a form.
    """
    for name in types:
        for whole in (True, False):
            try:
                result = _rendered(template, examples.facts(name, whole=whole), strict=whole)
                if for_people:
                    _check_words(result)
            except CannotTransform as error:
                fields = "" if whole else " without its optional fields"
                raise CannotTransform(f"With {name}{fields}: {error}.") from error


def _result(mapping: Mapping[str, Any], template: str, facts: Facts) -> dict[str, Any]:
    if template:
        return _rendered(template, facts, strict=False)
    result: dict[str, Any] = {}
    for theirs, ours in mapping.items():
        if isinstance(ours, str):
            found = find(ours, facts)
            if not found:
                continue
            value: Any = found if is_many(ours) else found[0]
        else:
            value = ours[CONSTANT]
        _put(result, theirs.split("."), value)
    if len(json.dumps(result, ensure_ascii=False)) > MOST_CHARACTERS:
        raise CannotTransform(f"the result is longer than {MOST_CHARACTERS:,} characters")
    return result


def _put(result: dict[str, Any], steps: list[str], value: Any) -> None:
    *outer, last = steps
    for step in outer:
        result = result.setdefault(step, {})
    result[last] = value


def _rendered(template: str, facts: Facts, *, strict: bool) -> dict[str, Any]:
    try:
        result = strict_json.loads(language.render(template, facts, strict=strict).encode())
    except CannotRender as error:
        raise CannotTransform(str(error)) from error
    except (NotStrictJson, UnicodeEncodeError) as error:
        raise CannotTransform(str(error).replace("the body", "the result")) from error
    if not isinstance(result, dict):
        raise CannotTransform("the result is not a JSON object")
    if not strict_json.is_storable(result):
        raise CannotTransform("the result contains characters that cannot be stored, such as NUL")
    return result


def _check_words(result: Mapping[str, object]) -> None:
    """For people: two texts, and nothing else.

    Raises:
        CannotTransform: something else.
    """
    if not result or not result.keys() <= FOR_PEOPLE:
        raise CannotTransform("For people the result must consist of headline, text, or both")
    wrong = sorted(name for name, value in result.items() if not isinstance(value, str))
    if wrong:
        raise CannotTransform(f"{wrong[0]} must be text")
