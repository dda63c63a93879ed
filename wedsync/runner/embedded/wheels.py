"""Finds programs in installed wheels."""

import importlib.util
from pathlib import Path

from wedsync.runner.errors import RunnerError


def program(package: str, pattern: str, instead: str) -> Path:
    """A wheel's program, found without importing its package, which may have side effects or need more packages.

    Arguments:
        pattern: where the program is in the package, as a pattern of ``Path.glob``; the first match counts.
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
