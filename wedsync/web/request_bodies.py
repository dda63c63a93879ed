"""Request bodies, read on the event loop before a request costs a thread.

A body may arrive slowly, stop half-way or never end; it may announce its length or come in chunks. Each is bounded in
size and in pace, and all of them together in memory (docs/adr/0054).
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from wedsync.web.transfers import CLOSE, BodyRefused, Pace, Room, Transfer
from wedsync.wire.problems import Problem


class Disconnected(Exception):
    """The sender left before its body had arrived."""


@dataclass(frozen=True, slots=True)
class Beyond:
    """How a body is read on that is too large to be taken, so that one can see what it was.

    Attributes:
        most: bytes.
        pace: from where it was too large.
        wanted: asked once, when a body is too large: whether this one is read on.
    """

    most: int
    pace: Pace
    wanted: Callable[[], bool]


_Check = Callable[[int], None]


class BodyReader:
    """Reads bodies at a bounded pace, all of them within one room."""

    def __init__(self, room: Room, pace: Pace) -> None:
        self._room = room
        self._pace = pace

    async def read(self, receive: Any, largest: int) -> bytes:
        """The whole body, which takes no more room once it is here.

        Arguments:
            receive: of ASGI.
            largest: bytes; more is refused as soon as it is seen.

        Raises:
            BodyRefused: too large, too slow, or too much at once.
            Disconnected: the sender left.
        """
        transfer = Transfer(self._pace)
        try:
            return await self._read(transfer, receive, partial(check_size, largest=largest))
        finally:
            self._room.leave(transfer)

    async def read_beyond(self, receive: Any, largest: int, announced: int, beyond: Beyond) -> bytes:
        """As :meth:`read`; but a body that is larger is read on where it is wanted, and returned if it ends.

        Arguments:
            announced: bytes; 0: not said.

        Raises:
            BodyRefused, Disconnected: as :meth:`read`.
        """
        transfer = Transfer(self._pace)
        limit = _Limit(transfer, largest, beyond)
        try:
            return await self._read(transfer, receive, limit.check, announced)
        except BodyRefused as error:
            if limit.is_passed:  # whatever came then: this is what is wrong with it
                raise too_large(largest) from error
            raise
        finally:
            self._room.leave(transfer)

    async def read_and_hold(self, receive: Any, largest: int) -> tuple[bytes, Transfer]:
        """The whole body, and what holds its bytes in the room until the caller gives it to :meth:`release`.

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
        """The body is not needed any more."""
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
    """Pass a body of at most ``largest`` bytes.

    Raises:
        BodyRefused: it has more.
    """
    if length > largest:
        raise too_large(largest)


def too_large(largest: int, *, is_here: bool = False) -> BodyRefused:
    """The refusal of a body of more than ``largest`` bytes; the connection closes unless all of it ``is_here``."""
    detail = f"The body may have at most {largest} bytes."
    return BodyRefused(Problem(413, "body-too-large", detail, headers={} if is_here else CLOSE))


class _Limit:
    """How much of one body is read. ``is_passed``: it is too large, and read on."""

    def __init__(self, transfer: Transfer, largest: int, beyond: Beyond) -> None:
        self._transfer = transfer
        self._largest = largest
        self._beyond = beyond
        self.is_passed = False

    def check(self, length: int) -> None:
        """Pass so many bytes, or raise ``BodyRefused``."""
        if not self.is_passed and length > self._largest and self._beyond.wanted():
            self.is_passed = True
            self._transfer.hurry(self._beyond.pace)
        check_size(length, self._beyond.most if self.is_passed else self._largest)


def announced_length(text: bytes | str) -> int:
    """What a ``Content-Length`` says; 0 where it is no number, or empty, as with chunks."""
    return int(text) if len(text) < 20 and text.isascii() and text.isdigit() else 0
