"""What clients may ask of a socket, as schemas. A test compares the fields with the operations' own."""

from collections.abc import Mapping
from dataclasses import dataclass

from wedsync.api.asyncapi.schemas import NAME, SEQUENCE, TEXT, Schema, answer, common, one_of, ref, request
from wedsync.live.channels import MOST_CHANNELS


@dataclass(frozen=True)
class Described:
    """One operation: in a sentence, its requests and its answers, with an example of each."""

    summary: str
    request: Schema
    answer: Schema
    example: tuple[Schema, Schema]


def described() -> Mapping[str, Described]:
    """Each operation by its ``op``."""
    return {
        "subscribe": _subscribe(),
        "unsubscribe": _unsubscribe(),
        "publish": _publish(),
        "presence": _presence(),
        "seen": _seen(),
        "ping": _ping(),
    }


def _subscribe() -> Described:
    start = common()["start"]["properties"]
    position = {name: schema for name, schema in common()["position"]["properties"].items() if name != "ok"}
    several = {"type": "object", "maxProperties": MOST_CHANNELS}
    return Described(
        "Follow a channel, or many; what is missed comes first, in order.",
        one_of(
            request("subscribe", {"channel": NAME, **start}, *start),
            request("subscribe", {"channels": several | {"minProperties": 1, "additionalProperties": ref("start")}}),
        ),
        one_of(
            answer(position, "recovered", "oldest"),
            answer({"channels": several | {"additionalProperties": one_of(ref("position"), ref("refusedChannel"))}}),
        ),
        (
            {"id": 1, "op": "subscribe", "channel": "couple:dashboard:01a20640", "after": 12, "epoch": "1f0c"},
            {"id": 1, "ok": True, "epoch": "1f0c", "last": 13, "recovered": True},
        ),
    )


def _unsubscribe() -> Described:
    return Described(
        "Follow a channel no longer.",
        request("unsubscribe", {"channel": NAME}),
        answer({}),
        ({"id": 3, "op": "unsubscribe", "channel": "couple:dashboard:01a20640"}, {"id": 3, "ok": True}),
    )


def _publish() -> Described:
    event = {
        "type": TEXT | {"description": "Of the catalogue, or `custom.<word>`."},
        "payload": {"type": "object"},
        "wedding_id": {"type": ["string", "null"], "format": "uuid"},
    }
    return Described(
        "Publish an event on a channel.",
        request("publish", {"channel": NAME, **event}, "payload", "wedding_id"),
        answer({"event": TEXT | {"format": "uuid"}, "sequence": SEQUENCE | {"minimum": 1}}),
        (
            {"id": 6, "op": "publish", "channel": "kitchen:screen:1", "type": "custom.menu_chosen", "payload": {}},
            {"id": 6, "ok": True, "event": "01a20642-7164-77c9-9e86-841962711219", "sequence": 14},
        ),
    )


def _presence() -> Described:
    return Described(
        "Ask who follows a channel, and be told of those who come and leave.",
        request("presence", {"channel": NAME, "watch": {"type": "boolean"}}, "watch"),
        answer({"count": SEQUENCE, "people": {"type": "array", "items": ref("person")}}, "people"),
        (
            {"id": 7, "op": "presence", "channel": "couple:dashboard:01a20640", "watch": True},
            {"id": 7, "ok": True, "count": 3},
        ),
    )


def _seen() -> Described:
    properties = {"channel": NAME, "sequence": SEQUENCE | {"minimum": 1}, "contact": TEXT | {"format": "uuid"}}
    return Described(
        "Say that a person has had everything up to a sequence on a screen.",
        request("seen", properties, "contact"),
        answer({}),
        (
            {"id": 8, "op": "seen", "channel": "couple:dashboard:01a20640", "sequence": 13},
            {"id": 8, "ok": True},
        ),
    )


def _ping() -> Described:
    return Described(
        "Ask whether the connection still works.",
        request("ping", {}),
        answer({}),
        ({"id": 4, "op": "ping"}, {"id": 4, "ok": True}),
    )
