"""An example payload of each event type, made from its schema: transforms are tried on it when they are saved."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from integrations.rules.facts import Facts
from wedsync.live.event_types.catalogue import is_custom, type_of

_ID = "01a20642-7164-77c9-9e86-841962711219"
_MOMENT = datetime(2027, 6, 1, 12, tzinfo=UTC).isoformat()
_FORMATS: Mapping[str, str] = {"uuid": _ID, "date": "2027-06-19", "date-time": "2027-06-19T15:00:00+02:00"}
_OF_WEDDING: Mapping[str, Any] = {
    "ceremony_time": "15:00:00",
    "reception_time": "18:00:00",
    "reception_end": "23:30:00",
    "guest_count": 110,
    "capacity": 150,
}
_TEXTS = ("https://gallery.example/anna-and-ben", "EUR")


class FreeForm(dict[str, Any]):
    """An object whose fields the sender chooses: an example of it has every field."""

    def __contains__(self, key: object) -> bool:
        return True

    def __missing__(self, key: str) -> FreeForm:
        return FreeForm()


def payload(event_type: str, *, whole: bool = True) -> dict[str, Any]:
    """A payload that the type's schema accepts; ``whole``: with all optional fields, else with none of them.

    A client's own type may have any field.
    """
    if is_custom(event_type):
        return FreeForm() if whole else {}
    return _of_catalogue(event_type, whole=whole)


@cache
def _of_catalogue(event_type: str, *, whole: bool) -> dict[str, Any]:
    schema = type_of(event_type).payload.model_json_schema()
    required = schema.get("required", [])
    made = {
        name: _value(part, schema)
        for name, part in schema["properties"].items()
        if whole or name in required or name == "extra"
    }
    stored = type_of(event_type).payload.model_validate(made).model_dump(mode="json")
    made |= {name: stored[name] for name, value in made.items() if not isinstance(value, dict | list)}
    return {**made, "extra": FreeForm()} if whole else made


def facts(event_type: str, *, whole: bool = True) -> Facts:
    """The facts of an example event whose wedding is known."""
    event = type_of(event_type)
    return {
        "payload": payload(event_type, whole=whole),
        "event": {
            "id": _ID,
            "type": event_type,
            "category": event.category.value,
            "source": "webhook",
            "source_system_id": _ID,
            "priority": event.priority.value,
            "occurred_at": _MOMENT,
            "received_at": _MOMENT,
            "correlation_id": _ID,
            "hops": 0,
        },
        "wedding": {
            "id": _ID,
            "couple": "Anna & Ben",
            "date": "2027-06-19",
            "timezone": "Europe/Vienna",
            "venue_name": "Seehof",
            **(_OF_WEDDING if whole else {}),
        },
    }


def _value(part: Mapping[str, Any], schema: Mapping[str, Any]) -> Any:
    if "$ref" in part:
        inner = schema["$defs"][part["$ref"].rpartition("/")[2]]
        return {name: _value(each, schema) for name, each in inner["properties"].items()}
    if choices := part.get("enum"):
        return choices[0]
    if "anyOf" in part:
        return _value(next(each for each in part["anyOf"] if each.get("type") != "null"), schema)
    match part.get("type"):
        case "integer" | "number":
            return 120 if part.get("maximum", 120) >= 120 else part["maximum"]
        case "boolean":
            return True
        case "array":
            return [_value(part["items"], schema)]
        case "object":
            return FreeForm()
    return _FORMATS.get(part.get("format", "")) or _matching(part.get("pattern")) or "an example"


def _matching(pattern: str | None) -> str | None:
    return next((text for text in _TEXTS if pattern and re.search(pattern, text)), None)
