"""The programs that lie in installed wheels."""

import importlib.util
from pathlib import Path

from wedsync.runner.errors import RunnerError


def program(package: str, pattern: str, instead: str) -> Path:
    """A wheel's program, found without importing its package: that may start things, or need more than the program.

    Arguments:
        pattern: where the program lies in the package, as ``Path.glob`` reads it; the first match counts.
        instead: what a person can do without the wheel.

    Raises:
        RunnerError: the wheel is missing, or not made for this machine.
    """
    spec = importlib.util.find_spec(package)
    folders = (spec.submodule_search_locations if spec else None) or []
    found = sorted(path for folder in folders for path in Path(folder).glob(pattern))
    if not found:
        wheel = package.replace("_", "-")
        raise RunnerError(f"The wheel {wheel} has no server for this machine. {instead}")
    return found[0]
