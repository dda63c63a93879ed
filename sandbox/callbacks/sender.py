"""Signed callbacks to the product: delivery statuses, replies, button presses; and Meta's handshake before them."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

import aiohttp

from sandbox.callbacks.disturbances import Disturbance, Disturbances, timetable
from sandbox.logs import log
from sandbox.storage.messages import MessageLog

RETRY_DELAYS = (0.0, 1.0, 5.0, 30.0)
"""Seconds before each attempt: Meta and Resend retry for days, the sandbox while somebody may be watching."""
_TIMEOUT = aiohttp.ClientTimeout(total=15)


class HandshakeRefused(ValueError):
    """The product does not know the verify token, or did not send the challenge back."""


@dataclass(frozen=True)
class Callback:
    """One request to the product: its URL, its exact bytes, and headers that are made for each attempt (timestamps).

    With a `verify_token`, nothing is sent before the product has answered a handshake that names it.
    """

    url: str
    body: bytes
    headers: Callable[[], Mapping[str, str]]
    verify_token: str | None = None


@dataclass(frozen=True)
class StatusStep:
    """The message reaches `status` this many seconds after it was accepted; `callback` tells the product."""

    after_seconds: float
    status: str
    callback: Callable[[], Callback | None]


class Callbacks:
    """Sends callbacks in the background: those of one message in order, unless its disturbance says otherwise."""

    def __init__(self, messages: MessageLog) -> None:
        self.disturbances = Disturbances()
        self._messages = messages
        self._tasks: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None
        self._verified: set[tuple[str, str]] = set()

    def follow(self, service: str, message_id: int, steps: Sequence[StatusStep]) -> None:
        """Take a message through its steps, with the disturbance that its service has now."""
        disturbance = self.disturbances.draw(service)
        task = asyncio.get_running_loop().create_task(self._walk(message_id, steps, disturbance))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def send_once(self, callback: Callback) -> int | None:
        """Send now, once.

        Returns the product's status code, or None when it could not be reached or did not answer the handshake.
        """
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=_TIMEOUT, headers={"User-Agent": "wedsync-sandbox"})
        try:
            if callback.verify_token is not None:
                await self._shake_hands(self._session, callback.url, callback.verify_token)
            async with self._session.post(
                callback.url, data=callback.body, headers=callback.headers(), allow_redirects=False
            ) as response:
                await response.read()
                return response.status
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            log("callback_failed", url=callback.url, error=type(error).__name__)
            return None

    async def report_press(self, service: str, callback: Callback) -> int | None:
        """Send now what a person pressed or wrote, subject to the service's disturbance.

        Returns the product's status code for the first request, or None as `send_once` does.
        """
        disturbance = self.disturbances.draw(service)
        if service == "slack":  # for the others, the delay concerns statuses
            await asyncio.sleep(disturbance.delay_seconds)
        answered = await self.send_once(callback)
        if disturbance.double:
            await self.send_once(callback)
        return answered

    async def _shake_hands(self, session: aiohttp.ClientSession, url: str, token: str) -> None:
        """Once for each URL and token, as Meta does when they are entered.

        https://developers.facebook.com/docs/graph-api/webhooks/getting-started#verification-requests

        Raises:
            HandshakeRefused: the product did not send the challenge back.
        """
        if (url, token) in self._verified:
            return
        challenge = str(secrets.randbelow(10**10))
        asked = {"hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": token}
        async with session.get(url, params=asked, allow_redirects=False) as response:
            said = await response.text()
        if response.status != HTTPStatus.OK or said != challenge:
            raise HandshakeRefused
        self._verified.add((url, token))

    async def close(self) -> None:
        """Stop the callbacks in progress."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    async def _walk(self, message_id: int, steps: Sequence[StatusStep], disturbance: Disturbance) -> None:
        elapsed = 0.0
        made: dict[int, Callback | None] = {}
        for moment, what, number in timetable([(each.after_seconds, each.status) for each in steps], disturbance):
            await asyncio.sleep(moment - elapsed)
            elapsed = moment
            if what == "happens":
                self._messages.set_status(message_id, steps[number].status)
                made[number] = steps[number].callback()
                continue
            callback = made[number]
            if callback is not None:
                await self._send_until_taken(callback)
                if disturbance.double:
                    await self.send_once(callback)

    async def _send_until_taken(self, callback: Callback) -> None:
        for delay in RETRY_DELAYS:
            await asyncio.sleep(delay)
            status = await self.send_once(callback)
            log("callback", url=callback.url, status=status)
            if status is not None and 200 <= status < 300:
                return
