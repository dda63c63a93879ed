"""Clients' requests to a socket, checked before anything is done. docs/developers/realtime.md, "Requests"."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wedsync.live.channels import MOST_CHANNELS, check_name

_FIELDS = {  # of each operation
    "subscribe": frozenset({"id", "op", "channel", "after", "epoch", "channels"}),
    "unsubscribe": frozenset({"id", "op", "channel"}),
    "ping": frozenset({"id", "op"}),
}
LONGEST_ID = 200  # characters, as JSON
_OF_ONE = frozenset({"after", "epoch"})


class RequestRefused(Exception):
    """A request that cannot be carried out; becomes the error in its answer."""

    def __init__(self, code: str, message: str, *, temporary: bool = False) -> None:
        super().__init__(message)
        self.body = {"code": code, "message": message, "temporary": temporary}


@dataclass(frozen=True)
class Start:
    """Where a client wants to continue: after a sequence of an epoch; from now on if ``after`` is ``None``."""

    after: int | None = None
    epoch: object = None


def id_of(content: Any) -> object:
    """What the answer carries back; ``None`` where no ``id`` can be read.

    Raises:
        RequestRefused: it is longer than an id need be.
    """
    given = content.get("id") if isinstance(content, dict) else None
    if len(json.dumps(given)) > LONGEST_ID:
        raise RequestRefused("bad-request", f"id may have at most {LONGEST_ID} characters")
    return given


def operation_of(content: Any) -> str:
    """What a message asks for.

    Raises:
        RequestRefused: it is not a request, or has fields that its operation does not know.
    """
    if not isinstance(content, dict):
        raise RequestRefused("bad-request", "send one JSON object per message")
    operation = content.get("op")
    known = _FIELDS.get(operation) if isinstance(operation, str) else None
    if known is None:
        raise RequestRefused("unknown-op", f"op must be one of {', '.join(_FIELDS)}")
    _refuse_unknown(content, known, str(operation))
    return str(operation)


def asks_for_many(content: Mapping[str, Any]) -> bool:
    """Whether a subscription names its channels in one object."""
    return "channels" in content


def channel_of(content: Mapping[str, Any]) -> str:
    """The name of a request's channel.

    Raises:
        RequestRefused: it is not a channel name.
    """
    try:
        return check_name(str(content.get("channel")))
    except ValueError as error:
        raise RequestRefused("bad-channel", str(error)) from error


def channels_of(content: Mapping[str, Any]) -> dict[str, Any]:
    """The channels of a subscription to several, by name, as they were written.

    Raises:
        RequestRefused: they are not an object, are too many, or come together with a single one.
    """
    given = content["channels"]
    if not isinstance(given, dict) or not given or set(content) & {"channel", *_OF_ONE}:
        raise RequestRefused("bad-request", 'channels must be an object: {"<name>": {"after": 12, "epoch": "..."}}')
    if len(given) > MOST_CHANNELS:
        raise RequestRefused("too-many-channels", f"a socket follows at most {MOST_CHANNELS} channels")
    return given


def start_of(content: object) -> Start:
    """Where a subscription wants to start.

    Raises:
        RequestRefused: this cannot be read.
    """
    if not isinstance(content, dict):
        raise RequestRefused("bad-request", "send an object for each channel, which may contain after and epoch")
    after = content.get("after")
    if after is not None and (isinstance(after, bool) or not isinstance(after, int) or after < 0):
        raise RequestRefused("bad-request", "after must be the last sequence you have seen, a whole number from 0")
    return Start(after, content.get("epoch"))


def start_of_one_of_many(name: str, content: object) -> Start:
    """The start of one of several channels.

    Raises:
        RequestRefused: it cannot be read, has an unknown field, or its channel's name is invalid.
    """
    channel_of({"channel": name})
    start = start_of(content)
    if isinstance(content, dict):
        _refuse_unknown(content, _OF_ONE, "a channel")
    return start


def _refuse_unknown(content: Mapping[str, Any], known: frozenset[str], what: str) -> None:
    if unknown := sorted(set(content) - known):
        named = ", ".join(name[:60] for name in unknown[:20])
        raise RequestRefused("bad-request", f"{what} has no such field: {named}")
