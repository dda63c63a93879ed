"""What ``follow`` returns: a connection that is kept up, and the events that it brings."""

import asyncio
import contextlib
import re
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Any

from websockets.exceptions import ConnectionClosed, WebSocketException

from .connection import Connection, opened
from .messages import Ended, Event, LiveError, Position, Refused, State, StateName
from .positions import GapError, Positions
from .stream import Refusal, Stream, StreamEnded, opened_stream
from .tickets import Tickets, called
from .times import Times
from .transport import Transport

MOST_WAITING = 1000  # events that nobody has taken yet; then the connection is read no further
LOOK_EVERY = 1.0  # seconds, at the clock
FIRST_FINAL, LAST_FINAL = 3500, 3999
DEPLOY = 3001


class Feed:
    """Iterate over it with ``async for``; ``aclose`` ends it."""

    def __init__(
        self,
        ticket: Tickets,
        times: Times,
        channels: Iterable[str],
        load: Callable[[], Any] | None,
        live: Mapping[str, Any] | None,
        on_state: Callable[[State], None] | None,
        on_refused: Callable[[Refused], None] | None,
    ) -> None:
        self._ticket, self._times, self._load = ticket, times, load
        self._on_state, self._on_refused = on_state, on_refused
        self._received = Positions(channels, live)
        self._missing: set[str] = set()
        self._refused: set[str] = set()
        self._failures = 0
        self._state: State | None = None
        self._connection: Connection | Stream | None = None
        self._transport = Transport(times.stream)
        self._tried = self._spoke = False
        self._limit: asyncio.Timeout | None = None
        self._woken = asyncio.Event()
        self._waiting: asyncio.Queue[Event | Exception | None] = asyncio.Queue(MOST_WAITING)
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False
        self.positions: dict[str, Position] = dict(self._received.at)
        """The last event of each channel that was handed out."""

    def __aiter__(self) -> "Feed":
        """The events, from the start or from where an earlier iteration stopped."""
        return self

    async def __anext__(self) -> Event:
        """The next event."""
        if not (self._tasks or self._closed):
            self._start(self._keep())
            self._start(self._watch_clock())
        item = None if self._closed else await self._waiting.get()
        if item is None:
            raise StopAsyncIteration
        if isinstance(item, Exception):
            await self.aclose()
            raise item
        self.positions[item.channel] = Position(item.sequence, self._received.at[item.channel].epoch)
        return item

    async def aclose(self) -> None:
        """End the iteration and the connection."""
        self._closed = True
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        while not self._waiting.empty():
            self._waiting.get_nowait()
        self._waiting.put_nowait(None)

    def wake(self) -> None:
        """Call this when the network is back: a waiting client reconnects at once, a connection is tested."""
        self._failures = 0
        self._woken.set()

    async def request(self, op: str, **fields: Any) -> Mapping[str, Any]:
        """The answer to a request over the connection.

        Raises:
            LiveError: it was refused, or there is no connection.
        """
        if self._connection is None:
            raise LiveError("there is no connection at the moment")
        return await self._connection.ask(op, **fields)

    async def seen(self, channel: str, sequence: int) -> None:
        """Say that a person has seen an event."""
        await self.request("seen", channel=channel, sequence=sequence)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _keep(self) -> None:
        try:
            self._say(State(StateName.CONNECTING))
            if self._load and set(self._received.channels) - set(self._received.at):
                await self._reload()
            while True:
                self._tried = self._spoke = False
                code, why, pause = await self._connect()
                if code is not None and FIRST_FINAL <= code <= LAST_FINAL:
                    raise Ended(code, why)
                if self._transport.after(tried=self._tried, spoke=self._spoke, code=code):
                    pause = 0.0
                await self._rest(code, why, self._times.wait(self._failures) if pause is None else pause)
        except Exception as error:
            if isinstance(error, Ended):
                self._say(State(StateName.ENDED, error.code, error.why))
            await self._waiting.put(error)

    async def _rest(self, code: int | None, why: str, seconds: float) -> None:
        self._failures += 1
        self._say(State(StateName.WAITING, code, why, seconds))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._woken.wait(), seconds)
        self._woken.clear()

    async def _connect(self) -> tuple[int | None, str, float | None]:
        """One connection, from its ticket to its end: the code, the reason, the pause that the server asks for."""
        try:
            async with asyncio.timeout(self._times.patience) as self._limit:
                ticket = await called(self._ticket)
                self._tried = True
                opening = opened_stream if self._transport.streams else opened
                async with opening(ticket, self._times) as connection:
                    await self._listen(connection)
        except ConnectionClosed as closed:
            if closed.rcvd is None:
                return None, "the connection was lost", None
            return closed.rcvd.code, closed.rcvd.reason, _asked_pause(closed.rcvd.code, closed.rcvd.reason)
        except StreamEnded as ended:
            self._refused_by(ended)
            return ended.code, ended.why, ended.pause or _asked_pause(ended.code, ended.why)
        except GapError as gap:
            return None, f"an event of {gap} was missing", None
        except TimeoutError:
            return None, "the server did not answer in time", None
        except (OSError, EOFError, ValueError, IndexError, WebSocketException) as error:
            return None, str(error), None
        return None, "the connection was closed", None

    def _refused_by(self, ended: StreamEnded) -> None:
        """A stream is refused as a whole because of one channel; the others go on without it."""
        if isinstance(ended, Refusal) and ended.channel in self._received.channels:
            self._spoke = True
            self._missing.discard(ended.channel)
            self._refuse(ended.channel, ended.error)

    async def _listen(self, connection: Connection | Stream) -> None:
        self._connection = connection
        testing = asyncio.create_task(self._test_when_woken(connection))
        try:
            await self._subscribe([name for name in self._received.channels if name not in self._refused])
            async for message in connection:
                await self._heard(message)
        finally:
            testing.cancel()
            self._connection = None

    async def _subscribe(self, names: list[str]) -> None:
        if names and self._connection:
            self._missing.update(names)
            await self._connection.subscribe(self._received.starts(names))

    async def _heard(self, message: Mapping[str, Any]) -> None:
        self._spoke = True
        if message.get("op") == "event":
            name, sequence = message["channel"], message["sequence"]
            if name not in self._missing and self._received.takes(name, sequence):
                await self._waiting.put(Event(name, sequence, message["event"]))
        elif "channels" in message:
            await self._subscribed(message["channels"])

    async def _subscribed(self, answers: Mapping[str, Mapping[str, Any]]) -> None:
        if self._limit:
            self._limit.reschedule(None)
        lost = []
        for name, answer in answers.items():
            self._missing.discard(name)
            if not answer["ok"]:
                self._refuse(name, answer["error"])
                continue
            had = name in self._received.at
            if self._received.begins(name, answer):
                lost.append((name, had))
            self.positions.setdefault(name, self._received.at[name])
        if lost and self._load:
            await self._subscribe(await self._reload())
        elif gone := [name for name, had in lost if had]:
            for name in gone:
                self._tell(Refused(name, "unrecoverable", "missed events are gone"))
        if not self._missing:
            self._say(State(StateName.LIVE))
            self._after(self._times.settled, self._settle)

    def _refuse(self, name: str, error: Mapping[str, Any]) -> None:
        if error.get("temporary"):
            self._missing.add(name)
            self._after(self._times.wait(2), lambda: self._subscribe([name]))
        else:
            self._refused.add(name)
            self._tell(Refused(name, error["code"], error["message"]))

    def _tell(self, refused: Refused) -> None:
        if self._on_refused is None:
            raise refused
        self._on_refused(refused)

    async def _reload(self) -> list[str]:
        """Load the state, as often as it takes; returns the channels to follow anew."""
        failures = 0
        while self._load:
            try:
                state = await called(self._load)
                return self._received.put((state or {}).get("live") or {})
            except OSError as error:
                await self._rest(None, str(error), self._times.wait(failures))
                failures += 1
        return []

    async def _settle(self) -> None:
        if self._state and self._state.name is StateName.LIVE:
            self._failures = 0

    def _after(self, seconds: float, what: Callable[[], Any]) -> None:
        async def later() -> None:
            await asyncio.sleep(seconds)
            with contextlib.suppress(WebSocketException):
                await what()

        self._start(later())

    async def _test_when_woken(self, connection: Connection | Stream) -> None:
        while True:
            await self._woken.wait()
            self._woken.clear()
            if not await connection.answers_within(self._times.trust):
                connection.cut_off()
                self._woken.set()  # no pause before the next one
                return

    async def _watch_clock(self) -> None:
        """A clock that has jumped says that the machine has slept."""
        before = time.time()
        while True:
            await asyncio.sleep(LOOK_EVERY)
            now = time.time()
            if abs(now - before - LOOK_EVERY) > self._times.jump:
                self.wake()
            before = now

    def _say(self, state: State) -> None:
        if state != self._state:
            self._state = state
            if self._on_state:
                self._on_state(state)


def _asked_pause(code: int | None, why: str) -> float | None:
    """How long the server would like us to stay away, in seconds."""
    found = re.search(r"\d+(\.\d+)?", why) if code == DEPLOY else None
    return float(found[0]) if found else None
