"""The processor time of a whole idle copy: all its processes, including PostgreSQL and Valkey."""

import json
import time
from typing import Any

from rich.console import Console

from bench.deliver.processor import spent
from wedsync.demo.own_copy import OwnCopy

SETTLE_SECONDS = 8.0
SANDBOX = "sandbox"


def watch(copy: OwnCopy, console: Console, seconds: float) -> dict[str, Any]:
    """Percent of one core over ``seconds``: ``percent`` for the product, ``sandbox``, and ``each`` process."""
    time.sleep(SETTLE_SECONDS)
    records = json.loads((copy.home.run / "processes.json").read_text())
    roots = {int(record["pid"]): str(record["name"]) for record in records}
    roots[int((copy.home.path / "lock").read_text())] = "runner"
    before, started = spent(roots), time.monotonic()
    time.sleep(seconds)
    after, took = spent(roots), time.monotonic() - started
    percent = {name: (after[name] - before[name]) / took * 100 for name in after}
    sandbox = percent.pop(SANDBOX, 0.0)
    whole = round(sum(percent.values()), 2)
    console.print(f"[dim]idle: {whole:.1f} % of one core, the sandbox {sandbox:.1f} %[/]")
    each = {name: round(part, 2) for name, part in sorted(percent.items(), key=lambda entry: -entry[1])}
    return {"percent": whole, "sandbox": round(sandbox, 2), "seconds": round(took, 1), "each": each}
