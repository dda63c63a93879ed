"""The ports of one copy: the web process's is given, the sandbox's is found once and remembered."""

import errno
import hashlib
import os
import socket
from collections.abc import Mapping
from pathlib import Path

from wedsync.env import SANDBOX_PORT
from wedsync.runner.errors import RunnerError

LOCAL = "127.0.0.1"
DEFAULT = 8000
SANDBOX_FIRST, SANDBOX_COUNT = 20000, 10000
"""Below the ports that Linux uses for outgoing connections (32768 and above), far from the usual ones."""


def parse(name: str, text: str) -> int:
    """A port from the environment.

    Raises:
        RunnerError: not a number from 1 to 65535.
    """
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65535):
        raise RunnerError(f"{name}={text} is not a port; use a number from 1 to 65535.")
    return int(text)


def problem(port: int, host: str = LOCAL) -> str | None:
    """Why a process could not listen on this port now; ``None`` if it is free."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen()
        except OSError as error:
            return "is in use by another program" if error.errno == errno.EADDRINUSE else str(error.strerror)
    return None


def require_free(name: str, port: int) -> None:
    """Check a port before anything starts.

    Raises:
        RunnerError: the port cannot be listened on.
    """
    if reason := problem(port):
        raise RunnerError(f"Port {port} on {LOCAL} {reason}. Choose another: {name}={port + 1} make run")


def sandbox_port(home: Path, remembered: Path, environment: Mapping[str, str], taken: int) -> int:
    """The sandbox's port: from ``WEDSYNC_SANDBOX_PORT``, else the last one while it is free, else a free one.

    The search starts at a number derived from the home, so that two copies do not collide.

    Arguments:
        taken: the web process's port, on which nothing listens yet.
    """
    given = environment.get(SANDBOX_PORT.name) or SANDBOX_PORT.default
    if given and given != SANDBOX_PORT.default:
        port = parse(SANDBOX_PORT.name, given)
        require_free(SANDBOX_PORT.name, port)
        return port
    last = remembered.read_text().strip() if remembered.exists() else ""
    start = int.from_bytes(hashlib.sha256(os.fsencode(home)).digest()[:4], "big")
    candidates = (SANDBOX_FIRST + (start + step) % SANDBOX_COUNT for step in range(SANDBOX_COUNT))
    for port in [int(last)] if last.isdigit() else []:
        if port != taken and not problem(port):
            return port
    for port in candidates:
        if port != taken and not problem(port):
            remembered.write_text(str(port))
            return port
    raise RunnerError("No free port was found for the sandbox. Set WEDSYNC_SANDBOX_PORT.")
