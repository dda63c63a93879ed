"""What the open streams of a process need from time to time: comments, new tokens, and an end after some minutes."""

import asyncio
import random
import time

import structlog
from django.conf import settings

from wedsync.live import threads
from wedsync.live.access import stream_tokens
from wedsync.live.streams import framing
from wedsync.live.streams.event_stream import EventStream

log = structlog.get_logger(__name__)
LOOK_EVERY = 1.0  # seconds
COMMENT_EVERY = 14.0  # seconds, so that a silence never lasts longer than 15
AGAIN_SECONDS = 5.0  # after PostgreSQL was away
_SHORTEST = 0.8  # of a stream's life


class Upkeep:
    """All open streams of this process."""

    def __init__(self) -> None:
        self._streams: set[EventStream] = set()
        self._renewing: set[asyncio.Task[None]] = set()
        self._task: asyncio.Task[None] | None = None

    def add(self, stream: EventStream) -> None:
        """Begin with a stream. What begins together does not end together."""
        now = time.monotonic()
        stream.comment_at = now + COMMENT_EVERY * random.uniform(0.5, 1)
        stream.ends_at = now + settings.STREAM_SECONDS * random.uniform(_SHORTEST, 1)
        self._streams.add(stream)
        if stream.ticket:
            self._renew(stream)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._watch())

    def remove(self, stream: EventStream) -> None:
        """Forget a stream that has ended."""
        self._streams.discard(stream)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY)
            self.look(time.monotonic())

    def look(self, now: float) -> None:
        """Do what is due."""
        for stream in tuple(self._streams):
            if now >= stream.ends_at:
                stream.finish()
                continue
            if now >= stream.comment_at:
                stream.comment_at += COMMENT_EVERY
                if not stream.unsent:
                    stream.write(framing.COMMENT)
            if stream.ticket and now >= stream.renews_at:
                self._renew(stream)

    def _renew(self, stream: EventStream) -> None:
        stream.renews_at = time.monotonic() + settings.STREAM_SECONDS / 2
        task = asyncio.get_running_loop().create_task(_tell_new_token(stream))
        self._renewing.add(task)
        task.add_done_callback(self._renewing.discard)


async def _tell_new_token(stream: EventStream) -> None:
    """Write the stream a token with which it can come back; its rights are checked elsewhere."""
    try:
        token = await threads.entrance.run(stream_tokens.buy, stream.ticket)
    except Exception as error:  # PostgreSQL is away
        log.warning("token_not_renewed", error=type(error).__name__)
        stream.renews_at = time.monotonic() + AGAIN_SECONDS
        return
    if token is None:
        stream.ticket = ""
        return
    stream.ticket = token.digest
    stream.write(framing.named("token", {"token": token.text, "expires_at": token.expires_at}))


upkeep = Upkeep()
