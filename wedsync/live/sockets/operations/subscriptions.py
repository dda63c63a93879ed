"""Subscribing to one channel or many, and unsubscribing."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from wedsync.live import threads
from wedsync.live.channels import LONGEST_NAME, MOST_CHANNELS
from wedsync.live.error_codes import ErrorCode
from wedsync.live.fan_out.broadcasting import broadcaster
from wedsync.live.log.reader import ChannelKey, Position, positions
from wedsync.live.log.resumption import Start, resume
from wedsync.live.sockets.operations.requests import Operation, Request, RequestRefused, channel_of, refuse_unknown

_START = frozenset({"after", "epoch", "must_recover"})


async def _subscribe(request: Request) -> dict[str, Any]:
    if "channels" in request.content:
        return await _subscribe_to_many(request)
    name, start = channel_of(request.content), _start_of(request.content)
    _check(request, name, further=0)
    found = await _positions(request, [name])
    return _follow(request, name, start, found[name])


async def _subscribe_to_many(request: Request) -> dict[str, Any]:
    asked = _channels_of(request.content)
    starts: dict[str, Start] = {}
    answers: dict[str, dict[str, Any]] = {}
    for name, content in asked.items():
        try:
            start = _start_of_one_of_many(name, content)
            _check(request, name, further=len(set(starts) - set(request.followed)))
            starts[name] = start
        except RequestRefused as refused:
            answers[name] = {"ok": False, "error": refused.body}
    found = await _positions(request, list(starts))
    for name, start in starts.items():
        try:
            answers[name] = {"ok": True, **_follow(request, name, start, found[name])}
        except RequestRefused as refused:
            answers[name] = {"ok": False, "error": refused.body}
    return {"channels": {name[:LONGEST_NAME]: answers[name] for name in asked}}


async def _unsubscribe(request: Request) -> dict[str, Any]:
    request.followed.forget(channel_of(request.content))
    return {}


SUBSCRIBE = Operation(frozenset({"channel", "channels"}) | _START, _subscribe)
UNSUBSCRIBE = Operation(frozenset({"channel"}), _unsubscribe)


def _check(request: Request, name: str, *, further: int) -> None:
    """Refuse a channel that may not be followed. ``further``: how many this request adds before it.

    Raises:
        RequestRefused: the ticket does not cover it, or the socket follows as many channels as it may.
    """
    if not request.pass_.covers(name):
        raise RequestRefused(ErrorCode.FORBIDDEN, "this ticket does not cover that channel")
    if name not in request.followed and len(request.followed) + further >= MOST_CHANNELS:
        raise RequestRefused(ErrorCode.TOO_MANY_CHANNELS, f"a socket follows at most {MOST_CHANNELS} channels")


async def _positions(request: Request, names: list[str]) -> dict[str, Position]:
    await broadcaster.listen()
    keys = [ChannelKey(request.pass_.organization_id, name) for name in names]
    found = await threads.entrance.run(positions, keys) if keys else {}
    return {key.name: where for key, where in found.items()}


def _follow(request: Request, name: str, start: Start, where: Position) -> dict[str, Any]:
    """The answer about one channel, which is followed from then on.

    Raises:
        RequestRefused: the client follows it only if it misses nothing, and the log no longer has everything.
    """
    resumed = resume(start, where)
    if start.must_recover and not resumed.recovered:
        raise RequestRefused(
            ErrorCode.UNRECOVERABLE,
            "what came after this position is not in the log any more; load the state and follow from there",
            oldest=where.oldest,
        )
    request.after_answer(partial(request.followed.begin, request.client, name, resumed.cursor, where.last))
    return resumed.answer


def _channels_of(content: Mapping[str, Any]) -> dict[str, Any]:
    """The channels of a subscription to several, by name, as they were written.

    Raises:
        RequestRefused: they are not an object, are too many, or come together with a single one.
    """
    given = content["channels"]
    if not isinstance(given, dict) or not given or set(content) & {"channel", *_START}:
        raise RequestRefused(
            ErrorCode.BAD_REQUEST, 'channels must be an object: {"<name>": {"after": 12, "epoch": "..."}}'
        )
    if len(given) > MOST_CHANNELS:
        raise RequestRefused(ErrorCode.TOO_MANY_CHANNELS, f"a socket follows at most {MOST_CHANNELS} channels")
    return given


def _start_of(content: object) -> Start:
    """Where a subscription wants to start.

    Raises:
        RequestRefused: this cannot be read.
    """
    if not isinstance(content, dict):
        raise RequestRefused(
            ErrorCode.BAD_REQUEST, "send an object for each channel, which may contain after and epoch"
        )
    after = content.get("after")
    if after is not None and (isinstance(after, bool) or not isinstance(after, int) or after < 0):
        raise RequestRefused(
            ErrorCode.BAD_REQUEST, "after must be the last sequence you have seen, a whole number from 0"
        )
    must_recover = content.get("must_recover", False)
    if not isinstance(must_recover, bool) or (must_recover and after is None):
        raise RequestRefused(ErrorCode.BAD_REQUEST, "must_recover is true or false, and true only together with after")
    return Start(after, content.get("epoch"), must_recover)


def _start_of_one_of_many(name: str, content: object) -> Start:
    """The start of one of several channels.

    Raises:
        RequestRefused: it cannot be read, has an unknown field, or its channel's name is invalid.
    """
    channel_of({"channel": name})
    start = _start_of(content)
    if isinstance(content, dict):
        refuse_unknown(content, _START, "a channel")
    return start
