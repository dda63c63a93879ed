"""What clients may ask of a socket, as schemas. A test compares the fields with the operations' own."""

from collections.abc import Mapping
from dataclasses import dataclass

from wedsync.api.asyncapi.schemas import NAME, Schema, answer, common, one_of, ref, request
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
    return {"subscribe": _subscribe(), "unsubscribe": _unsubscribe(), "ping": _ping()}


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


def _ping() -> Described:
    return Described(
        "Ask whether the connection still works.",
        request("ping", {}),
        answer({}),
        ({"id": 4, "op": "ping"}, {"id": 4, "ok": True}),
    )
