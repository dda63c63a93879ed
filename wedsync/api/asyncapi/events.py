"""Events as schemas, made from the catalogue of event types and their payloads."""

from typing import Any

from pydantic.json_schema import models_json_schema

from wedsync.api.asyncapi.schemas import NAME, SEQUENCE, TEXT, Schema, a, ref
from wedsync.live.event_types.catalogue import CATALOGUE, CUSTOM_PATTERN
from wedsync.live.event_types.payloads import Custom
from wedsync.queues import Priority

_REF = "#/components/schemas/{model}"


def payloads() -> dict[str, Schema]:
    """The schemas of all payloads and what they consist of, by their classes' names."""
    models: list[tuple[Any, Any]] = [
        *((kind.payload, "serialization") for kind in CATALOGUE.values()),
        (Custom, "serialization"),
    ]
    _, definitions = models_json_schema(list(dict.fromkeys(models)), ref_template=_REF)
    return {name: _without_titles(schema) for name, schema in sorted(definitions["$defs"].items())}


def events() -> dict[str, Schema]:
    """The schemas of an event on a channel, and of the event itself, one for each type."""
    kinds = {
        _named(kind.name): _of_type({"const": kind.name}, kind.payload.__name__) for kind in CATALOGUE.values()
    } | {_named("custom"): _of_type(TEXT | {"pattern": CUSTOM_PATTERN}, Custom.__name__)}
    return {
        "event": a(
            {
                "op": {"const": "event"},
                "channel": NAME,
                "sequence": SEQUENCE | {"minimum": 1, "description": "Without a gap in each channel."},
                "event": {"oneOf": [ref(name) for name in kinds]},
            }
        ),
        **kinds,
    }


def _named(event_type: str) -> str:
    return f"event.{event_type}"


def _of_type(named: Schema, payload: str) -> Schema:
    return a(
        {
            "id": TEXT | {"format": "uuid", "description": "The same on each channel that shows it."},
            "type": named,
            "priority": {"enum": list(Priority.values)},
            "occurred_at": TEXT | {"format": "date-time"},
            "wedding_id": {"type": ["string", "null"], "format": "uuid"},
            "payload": ref(payload),
        }
    )


def _without_titles(schema: Any) -> Any:
    """A schema without the titles that pydantic makes of names."""
    if isinstance(schema, list):
        return [_without_titles(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        name: {inner: _without_titles(each) for inner, each in value.items()}
        if name == "properties"
        else _without_titles(value)
        for name, value in schema.items()
        if name != "title"
    }
