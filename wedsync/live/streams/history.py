"""``GET /api/channels/<name>/events/``: one channel's log as pages, and a wait for what comes next."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import orjson

from wedsync.database.snapshots import snapshot
from wedsync.live import threads
from wedsync.live.access.bearers import Bearer
from wedsync.live.access.passes import Pass
from wedsync.live.access.rights import guard
from wedsync.live.close_codes import CloseCode
from wedsync.live.fan_out.broadcasting import broadcaster
from wedsync.live.fan_out.followed import Followed
from wedsync.live.fan_out.subscriptions import Framing
from wedsync.live.log.reader import ChannelKey, Entry, entries_after, positions
from wedsync.live.log.resumption import Resumed, Start, resume
from wedsync.live.quotas import quotas
from wedsync.live.streams import entrance, framing
from wedsync.live.streams.admission import Count
from wedsync.live.streams.parameters import HistoryRequest, history_request
from wedsync.live.streams.problems import right_ended
from wedsync.web.answers import send_bytes
from wedsync.web.draining import drain

LARGEST_PAGE = 1024 * 1024  # bytes of events
_AT_ONCE = 32  # entries per query
_HEADERS = [(b"cache-control", b"no-store, no-transform")]


async def serve(scope: dict[str, Any], receive: Any, send: Any, name: str, count: Count) -> None:
    """Answer with a page of a channel's log, at once or when there is something to tell.

    Raises:
        Problematic: the request is refused.
    """
    asked = history_request(scope, name)
    slot = entrance.enter(scope)
    try:
        pass_ = (await entrance.admitted(scope, slot, [name], asked.organization, count)).pass_
        resumed, texts = await threads.replays.run(_page, ChannelKey(pass_.organization_id, name), asked)
        if asked.wait and not texts and resumed.recovered is not False:
            texts = (await _next(pass_, asked, resumed, receive))[: asked.limit]
        await send_bytes(send, 200, b"application/json", _body(resumed, texts), _HEADERS)
    finally:
        quotas.leave(slot)


@snapshot()
def _page(key: ChannelKey, asked: HistoryRequest) -> tuple[Resumed, Sequence[bytes]]:
    """Where the client goes on, and what follows, as of one moment."""
    where = positions([key])[key]
    resumed = resume(asked.start if asked.start.after is not None else Start(where.oldest - 1), where)
    if resumed.recovered is False:
        return resumed, []
    texts: list[bytes] = []
    cursor, room = resumed.cursor, LARGEST_PAGE
    while room > 0 and len(texts) < asked.limit:
        found: list[Entry] = entries_after({key: cursor}, min(_AT_ONCE, asked.limit - len(texts))).get(key, [])
        if not found:
            break
        for entry in found:
            room -= len(entry.text)
            if room < 0 and texts:
                break
            texts.append(entry.text)
        cursor = found[-1].sequence
    return resumed, texts


def _body(resumed: Resumed, texts: Sequence[bytes]) -> bytes:
    last = max([resumed.where.last, *(framing.sequence_of(text) for text in texts[-1:])])
    events = [orjson.Fragment(text) for text in texts]
    return orjson.dumps({"events": events, **resumed.answer, "last": last, "oldest": resumed.where.oldest})


async def _next(pass_: Pass, asked: HistoryRequest, resumed: Resumed, receive: Any) -> Sequence[bytes]:
    """What comes next on the channel; nothing if nothing comes in time, or the client leaves."""
    await broadcaster.listen()
    waiting, followed = Waiting(pass_), Followed(pass_.organization_id)
    guard.add(waiting)
    drain.add(waiting)
    leaving = asyncio.ensure_future(_left(receive))
    try:
        followed.begin(waiting, asked.name, resumed.cursor, resumed.where.last)
        first: set[asyncio.Future[Any]] = {waiting.entries, leaving}
        await asyncio.wait(first, timeout=asked.wait, return_when=asyncio.FIRST_COMPLETED)
        return waiting.entries.result() if waiting.entries.done() else []
    finally:
        followed.forget_all()
        guard.remove(waiting)
        drain.remove(waiting)
        waiting.entries.cancel()
        leaving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await leaving


async def _left(receive: Any) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class Waiting:
    """A client that waits for the next entries of one channel."""

    unsent = 0

    def __init__(self, pass_: Pass) -> None:
        self._pass = pass_
        self.entries: asyncio.Future[Sequence[bytes]] = asyncio.get_running_loop().create_future()

    @property
    def bearer(self) -> Bearer:
        """Whose rights let it wait."""
        return self._pass.bearer

    @property
    def rights(self) -> frozenset[str]:
        """The rights it was admitted with."""
        return self._pass.rights

    @property
    def framing(self) -> Framing:
        """One line per entry."""
        return framing.lines

    @property
    def is_open(self) -> bool:
        """Whether it still waits."""
        return not self.entries.done()

    def write(self, frames: bytes) -> None:
        """The entries are there."""
        if self.is_open:
            self.entries.set_result(framing.texts_of(frames))

    def when_drained(self, again: Callable[[], None]) -> None:
        """Never called: nothing of it is unsent."""

    def ask_to_reconnect(self, pause: float) -> None:
        """The process ends."""
        if self.is_open:
            self.entries.set_result([])

    def end(self, code: CloseCode, reason: str) -> None:
        """Its rights have ended."""
        if self.is_open:
            self.entries.set_exception(right_ended(code, reason))
