"""What all parts use: PostgreSQL and Valkey, the sink, the product's rows, the workers of the Procfile."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import redis
import requests

from bench.errors import BenchError
from bench.ground import NO_SANDBOX, ROOT, Ground, output_of
from bench.servers import Server, free_port, python
from wedsync.runner.ports import LOCAL
from wedsync.runner.supervision import procfile
from wedsync.runner.supervision.processes import wait_until

TARGETS = 25
WEDDINGS = 420
"""Enough that each of 10,000 deliveries to the targets is the only one of its target and wedding."""
_PRODUCT = "-A wedsync "
_BARE = "-A bench.deliver.baselines.bare "
_POOL = "--pool threads"


class Worker(Server):
    """A process of the Procfile that signals by a file that it is ready."""

    def __init__(
        self, name: str, command: tuple[str, ...], environment: Mapping[str, str], ready: Path, log: Path
    ) -> None:
        super().__init__(name, command, environment, 0, "", log)
        self._ready_file = ready

    def start(self) -> None:
        """See :class:`Server`."""
        self._ready_file.unlink(missing_ok=True)
        super().start()

    def answers(self) -> bool:
        """See :class:`Server`."""
        return self._ready_file.exists()


@dataclass(frozen=True)
class Seen:
    """The sink's figures: requests answered, distinct keys, and Unix times of the first arrival and last answer."""

    answered: int
    keys: int
    paths: int
    most_in_flight: int
    first: float
    last: float

    @property
    def seconds(self) -> float:
        """From the first arrival to the last answer."""
        return self.last - self.first


class Stage:
    """Starts everything but the workers when entered. ``more_ports``: further ports for the sink."""

    def __init__(self, pool: str | None = None, more_ports: Sequence[int] = ()) -> None:
        self.ground = Ground()
        self.port = free_port()
        self.url = f"http://{LOCAL}:{self.port}"
        self.more_ports = more_ports
        self.sample: dict[str, Any] = {}
        self._pool = pool
        self._session = requests.Session()
        self._session.trust_env = False  # a proxy cannot reach our loopback address
        self._sink: Server | None = None

    def __enter__(self) -> Self:
        """Start the servers and make the product's rows."""
        self.ground.__enter__()
        try:
            command = python("-m", "bench.deliver.sink", "--port", *map(str, [self.port, *self.more_ports]))
            log = self.ground.home.log("sink")
            self._sink = Server("sink", command, self.environment(), self.port, "/_/stats", log)
            self._sink.start()
            self.ground.make_product(weddings=1)
            words = ("--url", self.url, "--targets", str(TARGETS), "--weddings", str(WEDDINGS))
            self.sample = self.inside("world", *words)
            self.ground.execute("ANALYZE")
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the servers."""
        if self._sink:
            self._sink.stop()
        self.ground.__exit__(kind, error, trace)

    def environment(self, threads: int | None = None) -> dict[str, str]:
        """The product's environment, which allows calls to the sink. ``threads``: per worker; ``None``: the default."""
        made = self.ground.environment(NO_SANDBOX) | {"WEDSYNC_OUTBOUND_ALLOW": f"{LOCAL}/32:{self.port}"}
        return made | ({"WEDSYNC_WORKER_THREADS": str(threads)} if threads else {})

    def inside(self, *words: str) -> Any:
        """Run a command of :mod:`bench.deliver.inside`; returns its output."""
        return json.loads(output_of("-m", "bench.deliver.inside", *words, environment=self.environment()))

    def process(self, line: str, threads: int | None = None, name: str = "") -> Worker:
        """A process of the Procfile, not yet started. ``name``: if several processes of a line run."""
        return self._worker(name or line, self._command(line), self.environment(threads))

    def bare(self, line: str, threads: int, name: str) -> Worker:
        """A worker of the bare application, otherwise with the Procfile's command."""
        command = self._command(line)
        if _PRODUCT not in command:
            raise BenchError(f"The Procfile's process {line} is not a Celery worker, so its flags cannot be used.")
        environment = self.environment(threads) | {"BENCH_BROKER": self.broker}
        return self._worker(name, command.replace(_PRODUCT, _BARE), environment)

    @property
    def broker(self) -> str:
        """Valkey's URL in Celery's form."""
        return "redis+socket://" + self.ground.valkey.url.removeprefix("unix://")

    def _command(self, line: str) -> str:
        commands = procfile.read(ROOT / "Procfile")
        if line not in commands:
            raise BenchError(f"The Procfile has no process {line}.")
        if self._pool and _POOL not in commands[line]:
            raise BenchError(f"The Procfile's process {line} does not say {_POOL}, so its pool cannot be changed.")
        return commands[line].replace(_POOL, f"--pool {self._pool}") if self._pool else commands[line]

    def _worker(self, name: str, command: str, environment: Mapping[str, str]) -> Worker:
        home = self.ground.home
        return Worker(name, procfile.shell(command), environment, home.ready / name, home.log(name))

    def servers(self) -> dict[int, str]:
        """The processes of PostgreSQL and Valkey, and their names."""
        servers = {"postgres": self.ground.postgres.process, "valkey": self.ground.valkey.process}
        return {process.pid: name for name, process in servers.items() if process}

    def reset(self, latency: float) -> None:
        """Empty the sink, the queues, and the tables of events and deliveries. ``latency``: seconds per answer."""
        self._ask(f"reset?seconds={latency}")
        with redis.Redis.from_url(self.ground.valkey.url) as client:
            client.flushall()
        self.ground.execute("TRUNCATE live_channelevent, integrations_delivery CASCADE", "CHECKPOINT")

    def seen(self) -> Seen:
        """The sink's figures since it was emptied."""
        return Seen(**self._ask("stats"))

    def arrivals(self) -> dict[str, float]:
        """The Unix time at which each key first arrived."""
        found: dict[str, float] = self._ask("arrivals")
        return found

    def _ask(self, what: str) -> Any:
        return self._session.get(f"{self.url}/_/{what}", timeout=10).json()

    def let_fail(self, path: str, failing: str) -> None:
        """Make a path of the sink fail. ``failing``: the share of its calls, or ``hang``: never answer."""
        self._ask(f"behave?path={path}&failing={failing}")

    def calls(self) -> dict[str, int]:
        """The number of calls received, by path."""
        found: dict[str, int] = self._ask("paths")
        return found

    def wait_for(self, condition: Callable[[], bool], seconds: float, what: str) -> None:
        """Check twice a second, so that checking costs the measured processes little.

        Raises:
            BenchError: the condition is not true within the time.
        """
        if not wait_until(condition, seconds, pause=0.5):
            raise BenchError(f"{what} within {seconds:.0f} s.")

    def states(self) -> dict[str, int]:
        """The number of deliveries in each state."""
        return dict(self.ground.execute("SELECT state, count(*) FROM integrations_delivery GROUP BY state"))
