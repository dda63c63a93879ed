"""One stream of Server-Sent Events: what it follows, and what it is written. docs/developers/realtime-streams.md."""

from collections.abc import Callable, Mapping

from wedsync.live.access.bearers import Bearer
from wedsync.live.close_codes import ABNORMAL, NORMAL, CloseCode
from wedsync.live.fan_out.slow_readers import slow_readers
from wedsync.live.fan_out.subscriptions import Framing
from wedsync.live.log.resumption import Resumed
from wedsync.live.open_clients import ConnectedClient, open_clients
from wedsync.live.streams import cursor, framing
from wedsync.live.streams.admission import Admitted
from wedsync.live.streams.server_protocol import StreamProtocol


class EventStream(ConnectedClient[StreamProtocol]):
    """One client: its rights, and its position in each channel.

    Arguments:
        resumed: where it begins in each channel, by name.
        when_gone: called once, when the connection is gone.

    Attributes:
        ticket: the hash of what the next token is bought with, if it came with a ticket or token.
        comment_at, renews_at, ends_at: monotonic times of its upkeep.
    """

    transport = "stream"
    __slots__ = ("_at", "_marks", "_when_gone", "close_code", "comment_at", "ends_at", "renews_at", "ticket")

    def __init__(
        self,
        admitted: Admitted,
        address: str,
        connection: StreamProtocol,
        resumed: Mapping[str, Resumed],
        when_gone: Callable[["EventStream"], None],
    ) -> None:
        super().__init__(admitted.pass_, connection, address)
        self._when_gone, self.close_code = when_gone, ABNORMAL
        self._marks = tuple(cursor.mark_of(name, found.where.epochs[0]) for name, found in resumed.items())
        self._at = [found.cursor for found in resumed.values()]
        self.ticket = admitted.ticket
        self.comment_at = self.ends_at = self.renews_at = 0.0

    @property
    def cursor(self) -> bytes:
        """Its position in all its channels."""
        return cursor.written(zip(self._marks, self._at, strict=True))

    def begin(self, resumed: Mapping[str, Resumed], first: bytes) -> None:
        """Write what a stream begins with, then everything after its position in each channel."""
        open_clients.add(self)
        slow_readers.add(self._connection)
        self.write(first)
        for number, (name, found) in enumerate(resumed.items()):
            if self.is_open:
                self.followed.begin(ChannelOfStream(self, number), name, found.cursor, found.where.last)

    def write(self, content: bytes) -> None:
        """Send whole events or comments, without waiting."""
        self._connection.write_frames(framing.chunk(content) if self._connection.is_chunked else content)

    def write_entries(self, number: int, lines: bytes) -> None:
        """Send entries of one of its channels."""
        marks, sequences, chunked = self._marks, tuple(self._at), self._connection.is_chunked
        content, self._at[number] = framing.framed(marks, sequences, number, lines, chunked=chunked)
        self._connection.write_frames(content)

    def finish(self) -> None:
        """End the answer; the client reconnects with its cursor."""
        self.close_code = NORMAL
        self._connection.finish()

    def end(self, code: CloseCode, reason: str) -> None:
        """Say why, and end; nothing is written from now on."""
        self.close_code = code
        self.write(framing.named("end", {"code": code, "reason": reason, "again": not code.is_final}))
        self._connection.finish()

    def ask_to_reconnect(self, pause: float) -> None:
        """End because the process does; the client comes back after ``pause`` seconds."""
        self.close_code = CloseCode.DEPLOY
        told = {"code": CloseCode.DEPLOY, "reason": "the server is being restarted", "again": True}
        self.write(framing.retry(round(1000 * pause)) + framing.named("end", {**told, "come_back_after": pause}))
        self._connection.finish(keep=False)

    def ended(self) -> None:
        """The connection is gone, or this answer is complete."""
        open_clients.remove(self)
        slow_readers.remove(self._connection)
        self._when_drained.clear()
        self.followed.forget_all()
        self._when_gone(self)


class ChannelOfStream:
    """A stream as the client of one of its channels."""

    __slots__ = ("_number", "_stream")

    def __init__(self, stream: EventStream, number: int) -> None:
        self._stream, self._number = stream, number

    @property
    def bearer(self) -> Bearer:
        """Who is behind it."""
        return self._stream.bearer

    @property
    def framing(self) -> Framing:
        """One line per entry, the same for all streams; each stream's cursor is added when it is written."""
        return framing.lines

    @property
    def is_open(self) -> bool:
        """Whether anything can still be written."""
        return self._stream.is_open

    @property
    def unsent(self) -> int:
        """Bytes that the client has not read yet."""
        return self._stream.unsent

    def write(self, frames: bytes) -> None:
        """Send entries."""
        self._stream.write_entries(self._number, frames)

    def when_drained(self, again: Callable[[], None]) -> None:
        """Call back once the client has read nearly everything."""
        self._stream.when_drained(again)

    def end(self, code: CloseCode, reason: str) -> None:
        """End the whole stream."""
        self._stream.end(code, reason)
