"""Reads a Procfile: one process per line, ``name: command``, with the command in ``sh``'s syntax."""

import re
from pathlib import Path

from wedsync.runner.errors import RunnerError

_LINE = re.compile(r"(?P<name>[a-z][a-z0-9-]*):\s*(?P<command>\S.*)")


def read(path: Path) -> dict[str, str]:
    """The commands by name, in the file's order.

    Raises:
        RunnerError: the file is missing, a line is not valid, or a name occurs twice.
    """
    try:
        lines = path.read_text().splitlines()
    except OSError as error:
        raise RunnerError(f"{path} cannot be read: {error.strerror}.") from error
    commands: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        found = _LINE.fullmatch(line.strip())
        if not found or found["name"] in commands:
            raise RunnerError(f"{path}, line {number}: expected `name: command`, each name once.")
        commands[found["name"]] = found["command"]
    return commands


def shell(command: str) -> tuple[str, ...]:
    """The command for a shell; ``exec`` replaces the shell by the program, so that signals reach the program."""
    return ("/bin/sh", "-c", f"exec {command}")
