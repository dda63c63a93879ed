"""Reads request bodies on the event loop before a request costs a thread.

A body may arrive slowly, stall or never end; it may announce its length or come in chunks. Each is limited in size and
pace, and all of them together in memory (docs/adr/0054).
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from wedsync.web.transfers import CLOSE, BodyRefused, Pace, Room, Transfer
from wedsync.wire.problems import Problem


class Disconnected(Exception):
    """The sender disconnected before its body had arrived."""


@dataclass(frozen=True, slots=True)
class Beyond:
    """How to continue reading a body that is too large to accept, to find out what it was.

    Attributes:
        most: bytes.
        pace: from the point where it was too large.
        wanted: called once, when a body is too large: whether to continue reading it.
    """

    most: int
    pace: Pace
    wanted: Callable[[], bool]


_Check = Callable[[int], None]


class BodyReader:
    """Reads bodies at a limited pace, all of them within one room."""

    def __init__(self, room: Room, pace: Pace) -> None:
        self._room = room
        self._pace = pace

    async def read(self, receive: Any, largest: int) -> bytes:
        """The whole body, which no longer counts in the room once it has arrived.

        Arguments:
            receive: ASGI's.
            largest: bytes; a larger body is refused as soon as that is known.

        Raises:
            BodyRefused: too large, too slow, or too many bodies at once.
            Disconnected: the sender disconnected.
        """
        transfer = Transfer(self._pace)
        try:
            return await self._read(transfer, receive, partial(check_size, largest=largest))
        finally:
            self._room.leave(transfer)

    async def read_beyond(self, receive: Any, largest: int, announced: int, beyond: Beyond) -> bytes:
        """Like :meth:`read`, but a larger body is read further if wanted, and returned if it ends.

        Arguments:
            announced: bytes; 0: unknown.

        Raises:
            BodyRefused, Disconnected: as :meth:`read`.
        """
        transfer = Transfer(self._pace)
        limit = _Limit(transfer, largest, beyond)
        try:
            return await self._read(transfer, receive, limit.check, announced)
        except BodyRefused as error:
            if limit.is_passed:  # whatever happened later, this is the reason
                raise too_large(largest) from error
            raise
        finally:
            self._room.leave(transfer)

    async def read_and_hold(self, receive: Any, largest: int) -> tuple[bytes, Transfer]:
        """The whole body, and the transfer that holds its bytes in the room until :meth:`release`.

        Raises:
            BodyRefused, Disconnected: as :meth:`read`.
        """
        transfer = Transfer(self._pace)
        try:
            body = await self._read(transfer, receive, partial(check_size, largest=largest))
            self._room.take(transfer, len(body) - transfer.held)
        except BaseException:
            self._room.leave(transfer)
            raise
        self._room.arrived(transfer)
        return body, transfer

    def release(self, transfer: Transfer) -> None:
        """The body is no longer needed."""
        self._room.leave(transfer)

    async def _read(self, transfer: Transfer, receive: Any, check: _Check, announced: int = 0) -> bytes:
        transfer.begin()
        try:
            check(announced)
            return await self._pieces(transfer, receive, check)
        except asyncio.CancelledError as error:
            if not transfer.was_ended():
                raise
            assert transfer.ended_by is not None  # noqa: S101  (was_ended has just said so)
            raise BodyRefused(transfer.ended_by) from error
        finally:
            transfer.finish()

    async def _pieces(self, transfer: Transfer, receive: Any, check: _Check) -> bytes:
        pieces: list[bytes] = []
        length = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Disconnected
            piece = message.get("body", b"")
            length += len(piece)
            check(length)
            pieces.append(piece)
            if not message.get("more_body"):
                return b"".join(pieces)
            transfer.moved(len(piece))
            if not transfer.held:
                self._room.enter(transfer)
            self._room.take(transfer, len(piece))


def check_size(length: int, largest: int) -> None:
    """Accept a body of at most ``largest`` bytes.

    Raises:
        BodyRefused: it is larger.
    """
    if length > largest:
        raise too_large(largest)


def too_large(largest: int, *, is_here: bool = False) -> BodyRefused:
    """The refusal of a body larger than ``largest`` bytes; the connection closes unless the whole body ``is_here``."""
    detail = f"The body may have at most {largest} bytes."
    return BodyRefused(Problem(413, "body-too-large", detail, headers={} if is_here else CLOSE))


class _Limit:
    """The limit of one body. ``is_passed``: it is too large, but is read further."""

    def __init__(self, transfer: Transfer, largest: int, beyond: Beyond) -> None:
        self._transfer = transfer
        self._largest = largest
        self._beyond = beyond
        self.is_passed = False

    def check(self, length: int) -> None:
        """Accept this number of bytes, or raise ``BodyRefused``."""
        if not self.is_passed and length > self._largest and self._beyond.wanted():
            self.is_passed = True
            self._transfer.hurry(self._beyond.pace)
        check_size(length, self._beyond.most if self.is_passed else self._largest)


def announced_length(text: bytes | str) -> int:
    """The value of ``Content-Length``; 0 where it is not a number, or empty, as with chunks."""
    return int(text) if len(text) < 20 and text.isascii() and text.isdigit() else 0
