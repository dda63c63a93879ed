"""Clients' requests: what an operation gets, and the checks that all of them share."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from wedsync.live.access.passes import Pass
from wedsync.live.channels import check_name
from wedsync.live.error_codes import ErrorCode
from wedsync.live.fan_out.followed import Followed
from wedsync.live.fan_out.subscriptions import Client

LONGEST_ID = 200  # characters, as JSON


class RequestRefused(Exception):
    """A request that cannot be carried out; becomes the error in its answer."""

    def __init__(self, code: ErrorCode, message: str, **more: object) -> None:
        super().__init__(message)
        self.body = {"code": code, "message": message, "temporary": code.is_temporary, **more}


@dataclass(frozen=True)
class Request:
    """One request.

    Attributes:
        client: the socket that asks.
        pass_: what it may do.
        followed: what it follows.
        content: the message's JSON object; all its fields are known to its operation.
    """

    client: Client
    pass_: Pass
    followed: Followed
    content: Mapping[str, Any]
    _afterwards: list[Callable[[], None]] = field(default_factory=list)

    def after_answer(self, do: Callable[[], None]) -> None:
        """Do something once the answer is written, if the socket is still open."""
        self._afterwards.append(do)

    def answered(self) -> None:
        """The answer is written."""
        for do in self._afterwards:
            do()


@dataclass(frozen=True)
class Operation:
    """What clients may ask: the fields of its requests beside ``id`` and ``op``, and what carries it out.

    ``carry_out`` returns the fields of the answer, and raises :class:`RequestRefused`.
    """

    fields: frozenset[str]
    carry_out: Callable[[Request], Awaitable[dict[str, Any]]]


def id_of(content: Any) -> object:
    """What the answer carries back; ``None`` where no ``id`` can be read.

    Raises:
        RequestRefused: it is longer than an id need be.
    """
    given = content.get("id") if isinstance(content, dict) else None
    if len(json.dumps(given)) > LONGEST_ID:
        raise RequestRefused(ErrorCode.BAD_REQUEST, f"id may have at most {LONGEST_ID} characters")
    return given


def channel_of(content: Mapping[str, Any]) -> str:
    """The name of a request's channel.

    Raises:
        RequestRefused: it is not a channel name.
    """
    try:
        return check_name(str(content.get("channel")))
    except ValueError as error:
        raise RequestRefused(ErrorCode.BAD_CHANNEL, str(error)) from error


def refuse_unknown(content: Mapping[str, Any], known: frozenset[str], what: str) -> None:
    """Check an object's fields.

    Raises:
        RequestRefused: it has others than the known ones.
    """
    if unknown := sorted(set(content) - known):
        named = ", ".join(name[:60] for name in unknown[:20])
        raise RequestRefused(ErrorCode.BAD_REQUEST, f"{what} has no such field: {named}")
