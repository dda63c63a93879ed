"""A web process, clients that are served by it, and events twice a second, whose waits are measured."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import Any, Self

from bench.ground import Facts, Ground
from bench.live.command_process import CommandProcess
from bench.live.fan_out import EVERY, percentile
from bench.servers import Server, free_port, our_web

Say = Callable[[str], None]


class Repeated:
    """Calls a function again and again, in a thread, while the context lasts; ``found``: what it returned.

    Arguments:
        every: seconds from one call to the next.
    """

    def __init__(self, work: Callable[[], Any], every: float) -> None:
        self._work, self._every = work, every
        self.found: list[Any] = []
        self._error: Exception | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End; raise what a call has raised."""
        self._ended.set()
        self._thread.join()
        if self._error and error is None:
            raise self._error

    def _run(self) -> None:
        due = time.monotonic()
        while not self._ended.wait(max(0.0, due - time.monotonic())):
            due = max(due + self._every, time.monotonic())
            try:
                self.found.append(self._work())
            except Exception as error:
                self._error = error
                return


class Events(Repeated):
    """Events to the clients that are served.

    ``milliseconds``: their waits, from the commit; ``longest``: of each event, in order; ``missed``: how many.
    """

    def __init__(self, stage: "Stage") -> None:
        super().__init__(stage.tell, EVERY)
        self._stage = stage
        self.milliseconds: list[float] = []
        self.longest: list[float] = []
        self.missed = 0

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End, and gather when each event arrived."""
        super().__exit__(kind, error, trace)
        if error is None:
            waits = self._stage.waits(dict(self.found))
            self.milliseconds = [each for event in waits for each in event]
            self.longest = [round(max(event), 1) for event in waits if event]
            self.missed = self._stage.followers * len(self.found) - len(self.milliseconds)

    @property
    def p99(self) -> float:
        """In milliseconds; infinite if no event has arrived."""
        if not self.milliseconds:
            return float("inf")
        return percentile(self.milliseconds, 0.99)


class Stage:
    """Everything around one web process."""

    def __init__(self, server: Server, senders: Sequence[CommandProcess], clients: CommandProcess) -> None:
        self.server = server
        self._sender, self._other_sender = senders
        self._clients = clients
        self._number = self.followers = 0
        self.channel: str = self._sender.ask("channel")
        self.large_channel: str = self._sender.ask("large_channel")

    def tickets(self, count: int) -> list[str]:
        """New tickets; each is valid for a minute."""
        found: list[str] = self._other_sender.ask(f"tickets {count}")
        return found

    def follow(self, count: int) -> None:
        """Open the sockets that are served, and let them get their first events."""
        request = json.dumps({"id": 1, "op": "subscribe", "channel": self.channel})
        targets = [f"/ws/channels/?ticket={each}" for each in self.tickets(count)]
        self._clients.ask(json.dumps({"open": {"port": self.server.port, "targets": targets, "request": request}}))
        self.followers = count
        with self.events():
            time.sleep(2 * EVERY)

    def events(self) -> Events:
        """Events to the sockets that are served, while the context lasts."""
        return Events(self)

    def large_events(self, size: int) -> Repeated:
        """Events of this many bytes on another channel, as often; ``found``: when each was committed."""
        return Repeated(lambda: self._other_sender.ask(f"large {size}"), EVERY)

    def tell(self) -> tuple[int, float]:
        """Send one event; returns its number, and when it was committed."""
        self._number += 1
        return self._number, self._sender.ask(f"tell ours {self._number}")

    def waits(self, at: Mapping[int, float]) -> list[list[float]]:
        """How long each event took to each client, in milliseconds."""
        found: dict[str, list[float]] = self._clients.ask(json.dumps({"collect": list(at)})) if at else {}
        return [[1000 * (arrival - at[int(number)]) for arrival in each] for number, each in found.items()]

    def mebibytes(self) -> float:
        """The memory of the web process."""
        return self.server.resident_bytes() / 2**20

    def tracebacks(self) -> int:
        """How many the web process has logged."""
        return self.server.log.read_text().count("Traceback")

    def ends(self) -> list[dict[str, Any]]:
        """What the web process has logged of sockets that have ended."""
        lines = self.server.log.read_text().splitlines()
        return [json.loads(line) for line in lines if '"live_client_ended"' in line and line.startswith("{")]


@contextmanager
def stage(ground: Ground, facts: Facts, name: str, variables: Mapping[str, str]) -> Iterator[Stage]:
    """Start the processes; end them afterwards."""
    environment = ground.environment(free_port()) | {"REDIS_URL": ground.valkey.url}
    log = ground.home.log(f"{name}-commands")
    with ExitStack() as started:
        server = started.enter_context(our_web(ground, name=f"web-{name}", more=variables))
        words = [("bench.live.event_sender", facts.organization)] * 2 + [("bench.live.clients",)]
        senders = [started.enter_context(CommandProcess(each, environment, log)) for each in words]
        yield Stage(server, senders[:2], senders[2])
        ground.drop_hints()
