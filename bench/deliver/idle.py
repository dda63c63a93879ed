"""The processor's time of a whole copy that has nothing to do: all its processes, PostgreSQL and Valkey included."""

import json
import os
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from rich.console import Console

from wedsync.demo.own_copy import OwnCopy

SETTLE_SECONDS = 8.0
SANDBOX = "sandbox"
_PARENT, _FIRST_TIME, _LAST_TIME = 1, 11, 15
"""Places of ppid and of utime, stime, cutime, cstime after the command's name in /proc/PID/stat (proc_pid_stat(5))."""


def watch(copy: OwnCopy, console: Console, seconds: float) -> dict[str, Any]:
    """Percent of one core over so many seconds: ``percent`` of the product, ``sandbox``, and ``each`` process."""
    time.sleep(SETTLE_SECONDS)
    runner = int((copy.home.path / "lock").read_text())
    records = json.loads((copy.home.run / "processes.json").read_text())
    names = {int(record["pid"]): str(record["name"]) for record in records} | {runner: "runner"}
    before, started = _spent(runner, names), time.monotonic()
    time.sleep(seconds)
    after, took = _spent(runner, names), time.monotonic() - started
    percent = {name: (after[name] - before.get(name, 0.0)) / took * 100 for name in after}
    sandbox = percent.pop(SANDBOX, 0.0)
    whole = round(sum(percent.values()), 2)
    console.print(f"[dim]idle: {whole:.1f} % of one core, the sandbox {sandbox:.1f} %[/]")
    each = {name: round(part, 2) for name, part in sorted(percent.items(), key=lambda entry: -entry[1])}
    return {"percent": whole, "sandbox": round(sandbox, 2), "seconds": round(took, 1), "each": each}


def _spent(root: int, names: dict[int, str]) -> dict[str, float]:
    """Seconds that each named process and its children have spent so far; ended children count with their parent."""
    stats = _stats()
    children = defaultdict(list)
    for pid, fields in stats.items():
        children[int(fields[_PARENT])].append(pid)
    spent: dict[str, float] = defaultdict(float)
    waiting = [(root, names[root])]
    while waiting:
        pid, name = waiting.pop()
        ticks = sum(int(field) for field in stats[pid][_FIRST_TIME:_LAST_TIME])
        spent[name] += ticks / os.sysconf("SC_CLK_TCK")
        waiting += [(child, names.get(child, name)) for child in children[pid]]
    return spent


def _stats() -> dict[int, list[str]]:
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            found[int(folder.name)] = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended
    return found
