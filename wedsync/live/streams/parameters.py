"""The parameters of requests for a stream or a history, read from the URL and headers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from wedsync.live.channels import LONGEST_NAME, MOST_CHANNELS, check_name
from wedsync.live.error_codes import ErrorCode
from wedsync.live.log.reader import Position
from wedsync.live.log.resumption import Resumed, Start, resume
from wedsync.live.streams import cursor
from wedsync.live.streams.cursor import BadCursor, CursorPosition
from wedsync.live.streams.problems import Problematic, bad_request, unknown_parameter
from wedsync.wire.problems import Problem

CHANNEL, CURSOR, ORGANIZATION = "channel", "last_event_id", "organization"
AFTER, EPOCH, LIMIT, WAIT = "after", "epoch", "limit", "wait"
USUAL_LIMIT, LARGEST_LIMIT, LONGEST_WAIT = 50, 200, 25
_ANOTHER_EPOCH = ""
_LARGEST_SEQUENCE = 2**63 - 1


def header(scope: Mapping[str, Any], name: bytes) -> str | None:
    """A header's value; ``None``: it is missing.

    Raises:
        Problematic: it is given twice.
    """
    values = [value.decode("latin-1") for key, value in scope["headers"] if key == name]
    if len(values) > 1:
        raise bad_request(f"The header {name.decode()} may be given only once.")
    return values[0].strip() if values else None


@dataclass(frozen=True)
class StreamRequest:
    """Channels to follow, each with the start that the URL names, and the positions of a cursor, which count more."""

    starts: Mapping[str, Start]
    positions: Mapping[bytes, CursorPosition]
    organization: str

    def resumed(self, found: Mapping[str, Position]) -> dict[str, Resumed]:
        """Where the stream continues in each channel."""
        return {name: resume(self._start(name, found[name]), found[name]) for name in self.starts}

    def _start(self, name: str, where: Position) -> Start:
        position = self.positions.get(cursor.name_mark(name))
        if position is None:
            return self.starts[name]
        epoch = position.is_of(where.epochs)
        return Start(position.sequence, _ANOTHER_EPOCH if epoch is None else epoch)


@dataclass(frozen=True)
class HistoryRequest:
    """One channel's events after a sequence, at most ``limit``. ``wait``: seconds to wait for one if there is none."""

    name: str
    start: Start
    limit: int
    wait: int
    organization: str


def stream_request(scope: Mapping[str, Any]) -> StreamRequest:
    """The parameters of a stream, from its URL and headers.

    Raises:
        Problematic: something in it is unknown, missing or unreadable.
    """
    given = _given(scope, {CHANNEL, CURSOR, ORGANIZATION})
    named = [value for name, value in given if name == CHANNEL]
    if not named:
        raise bad_request("Name at least one channel: ?channel=<name>&channel=<other>.")
    if len(named) > MOST_CHANNELS:
        raise Problematic(
            Problem(400, ErrorCode.TOO_MANY_CHANNELS, f"A stream follows at most {MOST_CHANNELS} channels.")
        )
    starts = dict(map(_channel, named))
    if len(starts) < len(named):
        raise bad_request("A channel is named twice.")
    single = _single(given, CURSOR, ORGANIZATION)
    text = header(scope, b"last-event-id") or single.get(CURSOR, "")
    try:
        positions = cursor.read(text) if text else {}
    except BadCursor as error:
        raise Problematic(
            Problem(
                400,
                "bad-cursor",
                "This is not the id of one of our events, or it was damaged. Omit it, load the current state, "
                "and follow from there.",
            )
        ) from error
    return StreamRequest(starts, positions, single.get(ORGANIZATION, ""))


def history_request(scope: Mapping[str, Any], name: str) -> HistoryRequest:
    """The parameters of a history's URL.

    Raises:
        Problematic: something in it is unknown or unreadable.
    """
    single = _single(_given(scope, {AFTER, EPOCH, LIMIT, WAIT, ORGANIZATION}), AFTER, EPOCH, LIMIT, WAIT, ORGANIZATION)
    after = single.get(AFTER)
    if after is None and EPOCH in single:
        raise bad_request(f"{EPOCH} needs {AFTER}.")
    return HistoryRequest(
        _checked(name),
        Start(None if after is None else _number(AFTER, after, 0, _LARGEST_SEQUENCE), single.get(EPOCH)),
        _number(LIMIT, single.get(LIMIT, str(USUAL_LIMIT)), 1, LARGEST_LIMIT),
        _number(WAIT, single.get(WAIT, "0"), 0, LONGEST_WAIT),
        single.get(ORGANIZATION, ""),
    )


def _given(scope: Mapping[str, Any], known: set[str]) -> list[tuple[str, str]]:
    pairs = parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
    for name, _ in pairs:
        if name not in known:
            raise unknown_parameter(name, known)
    return pairs


def _single(given: Iterable[tuple[str, str]], *names: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in given:
        if name in found:
            raise bad_request(f"{name} may be given only once.")
        if name in names:
            found[name] = value
    return found


def _channel(text: str) -> tuple[str, Start]:
    """``<name>``, ``<name>@<after>`` or ``<name>@<after>.<epoch>``."""
    name, at, start = text.partition("@")
    _checked(name)
    if not at:
        return name, Start()
    after, dot, epoch = start.partition(".")
    return name, Start(_number(f"{CHANNEL}: what follows the @", after, 0, _LARGEST_SEQUENCE), epoch if dot else None)


def _checked(name: str) -> str:
    try:
        return check_name(name)
    except ValueError as error:
        which = {"channel": name[:LONGEST_NAME]}
        raise Problematic(Problem(400, ErrorCode.BAD_CHANNEL, f"{error}.".capitalize(), extra=which)) from error


def _number(name: str, text: str, least: int, most: int) -> int:
    if text.isascii() and text.isdigit() and len(text) <= len(str(most)) and least <= int(text) <= most:
        return int(text)
    raise bad_request(f"{name} must be a whole number from {least} to {most}.")
