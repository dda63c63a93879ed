"""Waits until everything answers, checked from outside as a client would."""

import asyncio
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from wedsync.runner.errors import RunnerError
from wedsync.runner.supervision.program import Program, Readiness, last_lines
from wedsync.runner.supervision.supervisor import Supervisor

HOPELESS_DEATHS = 3
"""Deaths in a row, before a program was ever ready, after which waiting is pointless."""

_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""A proxy in the user's environment cannot reach our loopback address."""


def url_answers(url: str, timeout: float = 2.0) -> bool:
    """Whether a GET is answered 200 within ``timeout`` seconds."""
    try:
        with _DIRECT.open(url, timeout=timeout) as response:
            return bool(response.status == 200)
    except (OSError, urllib.error.URLError, ValueError):
        return False


def shows_ready(program: Program) -> bool:
    """Whether a living program counts as ready."""
    match program.readiness:
        case Readiness.ALIVE:
            return True
        case Readiness.FILE:
            return Path(program.ready_at).exists()
        case Readiness.URL:
            return url_answers(program.ready_at)


async def wait_for_all(supervisor: Supervisor, within: float, on_ready: Callable[[str], None]) -> None:
    """Return once every program of the supervisor has been ready.

    Arguments:
        within: seconds.
        on_ready: called with each name.

    Raises:
        RunnerError: a program keeps dying, or the time is over; the message includes the end of its log.
    """
    deadline = time.monotonic() + within
    waiting = dict(supervisor.children)
    while waiting:
        for name, child in list(waiting.items()):
            if child.alive and await asyncio.to_thread(shows_ready, child.program):
                on_ready(name)
                del waiting[name]
            elif child.deaths >= HOPELESS_DEATHS or time.monotonic() > deadline:
                why = f"dies at every start ({child.deaths} times)" if child.deaths else "does not become ready"
                log = child.program.log
                raise RunnerError(f"{name} {why}. The end of {log}:\n{last_lines(log, 15)}")
        await asyncio.sleep(0.1)
