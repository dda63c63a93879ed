"""When everything answers: asked from outside, the way a client would."""

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
"""Deaths in a row, before it was ever ready, that no waiting will repair."""

_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""A proxy of the user's environment knows nothing of our loopback address."""


def url_answers(url: str, timeout: float = 2.0) -> bool:
    """Whether a GET is answered 200 within ``timeout`` seconds."""
    try:
        with _DIRECT.open(url, timeout=timeout) as response:
            return bool(response.status == 200)
    except (OSError, urllib.error.URLError, ValueError):
        return False


def shows_ready(program: Program) -> bool:
    """Whether a living program shows that it does its work."""
    match program.readiness:
        case Readiness.ALIVE:
            return True
        case Readiness.FILE:
            return Path(program.ready_at).exists()
        case Readiness.URL:
            return url_answers(program.ready_at)


async def wait_for_all(supervisor: Supervisor, within: float, on_ready: Callable[[str], None]) -> None:
    """Return once every program of the supervisor was seen ready.

    Arguments:
        within: seconds.
        on_ready: called with each name.

    Raises:
        RunnerError: one dies again and again, or the time is over; the message holds the end of its log.
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
