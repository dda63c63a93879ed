"""Signed calls back to the product: delivery statuses, replies, button presses."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import aiohttp

from sandbox.logs import log
from sandbox.storage.messages import MessageLog

RETRY_DELAYS = (0.0, 1.0, 5.0, 30.0)
"""Seconds before each try: Meta and Resend retry for days, a sandbox for as long as somebody watches."""
_TIMEOUT = aiohttp.ClientTimeout(total=15)


@dataclass(frozen=True)
class Callback:
    """One request to the product: where, the exact bytes, and headers made anew for each try (timestamps)."""

    url: str
    body: bytes
    headers: Callable[[], Mapping[str, str]]


@dataclass(frozen=True)
class StatusStep:
    """The message reaches `status` this many seconds after it was accepted; `callback` tells the product."""

    after_seconds: float
    status: str
    callback: Callable[[], Callback | None]


class Callbacks:
    """Sends callbacks in the background, in order for one message."""

    def __init__(self, messages: MessageLog) -> None:
        self._messages = messages
        self._tasks: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None

    def follow(self, message_id: int, steps: Sequence[StatusStep]) -> None:
        """Let a message go through its steps."""
        task = asyncio.get_running_loop().create_task(self._walk(message_id, steps))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def send_once(self, callback: Callback) -> int | None:
        """Send now, once; returns the product's status code, or None when it could not be reached."""
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=_TIMEOUT)
        headers = {"User-Agent": "wedsync-sandbox"} | dict(callback.headers())
        try:
            async with self._session.post(
                callback.url, data=callback.body, headers=headers, allow_redirects=False
            ) as response:
                await response.read()
                return response.status
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            log("callback_failed", url=callback.url, error=type(error).__name__)
            return None

    async def close(self) -> None:
        """Stop what is under way."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    async def _walk(self, message_id: int, steps: Sequence[StatusStep]) -> None:
        elapsed = 0.0
        for step in steps:
            await asyncio.sleep(step.after_seconds - elapsed)
            elapsed = step.after_seconds
            self._messages.set_status(message_id, step.status)
            callback = step.callback()
            if callback is not None:
                await self._send_until_taken(callback)

    async def _send_until_taken(self, callback: Callback) -> None:
        for delay in RETRY_DELAYS:
            await asyncio.sleep(delay)
            status = await self.send_once(callback)
            log("callback", url=callback.url, status=status)
            if status is not None and 200 <= status < 300:
                return
