"""The stage of :mod:`bench.deliver`, where each target in trouble has its own port, and so its own breaker.

Signed webhooks to one host and port share a breaker. Two times are shortened, so that a run of seconds includes
deadlines and several openings; shorter times demand more of the engine.
"""

import socket
from collections.abc import Sequence

from bench.deliver.stage import Stage
from bench.isolation.standby import Standby
from bench.servers import free_port
from wedsync.runner.ports import LOCAL

CALL_SECONDS = 3.0
OPEN_SECONDS = 5.0
LINES = ("worker-high", "worker-normal", "sweep")
"""Lines of the Procfile; no delivery here has another priority."""


class IsolationStage(Stage):
    """Starts everything but the workers when entered.

    Arguments:
        answering: how many further ports the sink listens on.
        refusing: how many ports nobody listens on while the stage exists.
    """

    def __init__(self, answering: int, refusing: int) -> None:
        super().__init__(more_ports=[free_port() for _ in range(answering)])
        self._bound = [_bound() for _ in range(refusing)]
        self._answering = list(self.more_ports)

    @property
    def _refusing(self) -> Sequence[int]:
        return [each.getsockname()[1] for each in self._bound]

    def environment(self, threads: int | None = None) -> dict[str, str]:
        """A stage's environment, which also allows calls to the ports and shortens the two times."""
        ports = [self.port, *self.more_ports, *self._refusing]
        return super().environment(threads) | {
            "WEDSYNC_OUTBOUND_ALLOW": ",".join(f"{LOCAL}/32:{port}" for port in ports),
            "WEDSYNC_CALL_DEADLINE_SECONDS": str(CALL_SECONDS),
            "WEDSYNC_BREAKER_OPEN_SECONDS": str(OPEN_SECONDS),
        }

    def answering_url(self) -> str:
        """The URL of a port of the sink that no target uses yet."""
        return f"http://{LOCAL}:{self._answering.pop()}"

    def refusing_url(self, number: int) -> str:
        """The URL of a port that nobody listens on."""
        return f"http://{LOCAL}:{self._refusing[number]}"

    def add_targets(self, commands: Standby, urls: dict[str, str]) -> dict[str, str]:
        """Make systems from URLs by name, each called at a path with its name; returns their ids by name."""
        pairs = (f"{name}={url}{path_of(name)}" for name, url in urls.items())
        made: dict[str, str] = commands.do("targets", *pairs)
        return made


def path_of(name: str) -> str:
    """The path at the sink for a target."""
    return f"/t/{name}"


def _bound() -> socket.socket:
    """A port that is in use, so that no other program listens there, and that refuses connections."""
    bound = socket.socket()
    bound.bind((LOCAL, 0))
    return bound
