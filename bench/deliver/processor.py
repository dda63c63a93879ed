"""The processor time that processes have used (proc_pid_stat(5)); on a busy machine it says more than a clock."""

import os
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

_PARENT, _FIRST_TIME, _LAST_TIME = 1, 11, 15
"""Positions of ppid and of utime, stime, cutime, cstime after the command's name."""


def spent(roots: Mapping[int, str]) -> dict[str, float]:
    """Seconds by name that these processes and their children have used; ended children count with their parent.

    A child that is a root itself counts under its own name.
    """
    stats = _stats()
    children = defaultdict(list)
    for pid, fields in stats.items():
        children[int(fields[_PARENT])].append(pid)
    found = dict.fromkeys(roots.values(), 0.0)
    waiting = list(roots.items())
    while waiting:
        pid, name = waiting.pop()
        if pid in stats:
            ticks = sum(int(field) for field in stats[pid][_FIRST_TIME:_LAST_TIME])
            found[name] += ticks / os.sysconf("SC_CLK_TCK")
        waiting += [(child, name) for child in children[pid] if child not in roots]
    return found


def _stats() -> dict[int, list[str]]:
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            found[int(folder.name)] = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended
    return found
