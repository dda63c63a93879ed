"""Targets that answer 500 to a tenth of their calls at random: how many deliveries the quick retries deliver, and how
many arrive at all. All steps of the schedule are the product's own.
"""

import time
from typing import Any

from rich.console import Console

from bench.isolation.stage import IsolationStage, path_of
from bench.isolation.standby import Standby

TARGETS = 8
FAILING = 0.1
QUICK_ATTEMPTS = 5
"""The first, and one after each quick step."""
PATIENCE = 100.0
"""Seconds: the quick steps with their jitter, and the first durable one."""


def measure(stage: IsolationStage, console: Console, commands: Standby, count: int) -> dict[str, Any]:
    """Deliver ``count`` deliveries, spread over the targets, with all workers of the stage running.

    Raises:
        BenchError: some are neither delivered nor given up after the first durable step.
    """
    urls = {f"flaky-{number}": stage.answering_url() for number in range(1, TARGETS + 1)}
    for name in urls:
        stage.let_fail(path_of(name), str(FAILING))
    stage.add_targets(commands, urls)
    commands.do("backlog", *urls, "--count", str(count))
    began = time.monotonic()
    stage.wait_for(lambda: _finished(stage) >= count, PATIENCE, f"Not all {count} deliveries are finished")
    found = _outcome(stage) | {"count": count, "seconds": round(time.monotonic() - began, 1)}
    console.print(
        f"[dim]flaky: {found['delivered']} of {count} delivered, {found['within_quick']} within the quick retries,"
        f" at most {found['most_attempts']} attempts; breakers opened {found['breakers_opened']} times[/]"
    )
    return found


_OF_FLAKY = "integrations_delivery AS delivery JOIN integrations_system AS system ON system.id = delivery.system_id"
_IS_FLAKY = "system.name LIKE 'flaky-%'"


def _finished(stage: IsolationStage) -> int:
    return stage.ground.number(
        f"SELECT count(*) FROM {_OF_FLAKY} WHERE {_IS_FLAKY} AND delivery.state IN ('succeeded', 'dead')"
    )


def _outcome(stage: IsolationStage) -> dict[str, Any]:
    names = ("delivered", "within_quick", "most_attempts", "attempts")
    succeeded = "delivery.state = 'succeeded'"
    row = stage.ground.execute(
        f"SELECT count(*) FILTER (WHERE {succeeded}),"
        f" count(*) FILTER (WHERE {succeeded} AND attempt_count <= {QUICK_ATTEMPTS}), max(attempt_count),"
        f" sum(attempt_count)::int FROM {_OF_FLAKY} WHERE {_IS_FLAKY}"
    )[0]
    opened = stage.ground.number(
        "SELECT count(*) FROM integrations_breakerchange AS change JOIN integrations_system AS system"
        f" ON system.id = change.system_id WHERE {_IS_FLAKY} AND change.to_state = 'open'"
    )
    return {**dict(zip(names, row, strict=True)), "breakers_opened": opened}
