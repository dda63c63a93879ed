"""One event to many sockets: how long after its commit it reaches each, and what that costs the server."""

import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.envelopes import Envelopes
from bench.errors import BenchError
from bench.ground import Facts, Ground
from bench.live.command_process import CommandProcess
from bench.live.webhooks import Vendor
from bench.servers import Server, free_port, our_web, python, web_command

OURS, SSE, BARE, STOCK = "ours", "sse", "bare", "stock"
SIDES = (OURS, SSE, BARE, STOCK)
"""Our sockets, our streams of Server-Sent Events, and two other servers."""
EVERY = 0.5  # seconds between two events
STREAM_PATH = "/api/channels/events/"


@dataclass(frozen=True)
class Measurement:
    """One measurement of one side.

    Arguments:
        milliseconds: from the commit to the arrival, for each event at each socket.
        cpu_microseconds: of the server, for each event at each socket.
        bytes_per_socket: how much the server's memory grew as the sockets connected, per socket.
    """

    side: str
    sockets: int
    milliseconds: list[float]
    cpu_microseconds: float
    bytes_per_socket: float


@dataclass(frozen=True)
class WebhookWaits:
    """How long webhooks waited for their answers, in milliseconds; ``refused``: how many had another than 202."""

    idle: list[float]
    beside_fan_out: list[float]
    refused: int


class Stage:
    """The servers, the process that sends events, the clients, and a vendor."""

    def __init__(
        self, servers: dict[str, Server], sender: CommandProcess, clients: CommandProcess, facts: Facts
    ) -> None:
        self._servers, self._sender, self._clients, self._facts = servers, sender, clients, facts
        self._envelopes = Envelopes(facts.bookings[1:])  # of another wedding than the one that is followed
        self._channel = sender.ask("channel")
        self._number = 0

    def measure(self, side: str, sockets: int, events: int) -> Measurement:
        """Open the sockets, send the events, close the sockets.

        Raises:
            BenchError: an event did not reach each socket exactly once.
        """
        server = self._servers[side]
        before = server.resident_bytes()
        self._open(side, sockets)
        grown = server.resident_bytes() - before
        self._tell(side, 2)  # so that what is created on first use exists
        cpu = cpu_seconds(server.pid)
        told = self._tell(side, events)
        cost = cpu_seconds(server.pid) - cpu
        arrivals = told.arrivals
        self._clients.ask(json.dumps({"close": True}))
        if any(len(each) != sockets for each in arrivals.values()):
            raise BenchError(f"{side}: of {sockets} sockets {sorted(map(len, arrivals.values()))} got the events.")
        late = [1000 * (arrival - told.at[number]) for number, each in arrivals.items() for arrival in each]
        return Measurement(side, sockets, late, 1e6 * cost / (sockets * events), grown / sockets)

    def webhook_waits(self, sockets: int, events: int) -> WebhookWaits:
        """Send webhooks to our server, first without sockets, then while events go to this number of them."""
        with self._vendor() as alone:
            time.sleep(events * EVERY)
        self._open(OURS, sockets)
        with self._vendor() as beside:
            self._tell(OURS, events)
        self._clients.ask(json.dumps({"close": True}))
        return WebhookWaits(alone.milliseconds, beside.milliseconds, alone.refused + beside.refused)

    def _vendor(self) -> Vendor:
        return Vendor(self._servers[OURS], self._facts, self._envelopes)

    def _open(self, side: str, sockets: int) -> None:
        port = self._servers[side].port
        if side in (BARE, STOCK):
            self._clients.ask(json.dumps({"open": {"port": port, "targets": ["/"] * sockets, "request": ""}}))
            return
        tickets = self._sender.ask(f"tickets {sockets}")
        if side == SSE:
            target = f"{STREAM_PATH}?channel={self._channel}"
            self._clients.ask(json.dumps({"stream": {"port": port, "target": target, "bearers": tickets}}))
            return
        request = json.dumps({"id": 1, "op": "subscribe", "channel": self._channel})
        targets = [f"/ws/channels/?ticket={each}" for each in tickets]
        self._clients.ask(json.dumps({"open": {"port": port, "targets": targets, "request": request}}))

    def _tell(self, side: str, events: int) -> "Told":
        at: dict[int, float] = {}
        for _ in range(events):
            self._number += 1
            began = time.monotonic()
            way = OURS if side == SSE else side
            at[self._number] = self._sender.ask(f"tell {way} {self._number}")
            time.sleep(max(0.0, began + EVERY - time.monotonic()))
        found = self._clients.ask(json.dumps({"collect": list(at)}))
        return Told(at, {int(number): each for number, each in found.items()})


@dataclass(frozen=True)
class Told:
    """When events were committed, and when each arrived at each socket."""

    at: dict[int, float]
    arrivals: dict[int, list[float]]


@contextmanager
def stage(ground: Ground) -> Iterator[Stage]:
    """Start the servers and other processes; end them afterwards."""
    facts = ground.make_product(weddings=2)
    environment = ground.environment(free_port()) | {"REDIS_URL": ground.valkey.url}
    log = ground.home.log("commands")
    with ExitStack() as started:
        servers = {OURS: our_web(ground), BARE: _bare(ground), STOCK: _stock(ground)}
        for server in servers.values():
            started.enter_context(server)
        servers[SSE] = servers[OURS]
        sender = started.enter_context(
            CommandProcess(("bench.live.event_sender", facts.organization), environment, log)
        )
        clients = started.enter_context(CommandProcess(("bench.live.clients",), environment, log))
        yield Stage(servers, sender, clients, facts)


def _bare(ground: Ground) -> Server:
    port = free_port()
    environment = ground.environment(port) | {"PORT": str(port), "REDIS_URL": ground.valkey.url}
    return Server(BARE, python("-m", "bench.live.peers.bare"), environment, port, "/readyz", ground.home.log(BARE))


def _stock(ground: Ground) -> Server:
    port = free_port()
    environment = ground.environment(port) | {"PORT": str(port), "REDIS_URL": ground.valkey.url}
    command = web_command(
        "--application", "bench.live.peers.stock:application", "--ws", "websockets-sansio", "--http", "httptools"
    )
    return Server(STOCK, command, environment, port, "/", ground.home.log(STOCK))


def cpu_seconds(pid: int) -> float:
    """The processor time that a process has used, in user and system mode (proc_pid_stat(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def percentile(values: Sequence[float], share: float) -> float:
    """A percentile that is one of the values; nothing is interpolated."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
