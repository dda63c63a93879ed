"""Sockets that come and go: the memory of the web process stays flat."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from statistics import fmean

from bench.pressure.part import Part
from bench.pressure.sizes import Sizes
from bench.pressure.sockets import CLOSE, answer_of, masked, opened, request
from bench.pressure.stage import Say, Stage

NAME = "turnover"
AT_ONCE = 50
TICKETS = 500  # issued together
TAKES_AN_EVENT = 10  # one of so many sockets waits for an event; all get the answer to their request


def measure(stage: Stage, sizes: Sizes, say: Say) -> Part:
    """Open and close the sockets, and read the memory after each step."""
    found = Part(NAME)
    steps: list[float] = []
    began, gone = time.monotonic(), 0
    with ThreadPoolExecutor(AT_ONCE) as pool, stage.events():
        while gone < sizes.turnover and time.monotonic() - began < sizes.limit:
            for start in range(0, sizes.step, TICKETS):
                tickets = stage.tickets(min(TICKETS, sizes.step - start))
                list(pool.map(lambda each: _visit(stage, *each), enumerate(tickets)))
                gone += len(tickets)
            time.sleep(1)
            steps.append(stage.mebibytes())
            say(f"{gone} sockets have come and gone: {steps[-1]:.1f} MiB")
    found.equal("sockets that came and went", sizes.turnover, gone)
    found.note("each second", f"{gone / (time.monotonic() - began):.0f}")
    found.note("MiB after each step", " ".join(f"{each:.1f}" for each in steps))
    found.ratio_at_most("turnover_memory", "memory at the end, of the first third's", 1.1, growth(steps))
    found.equal("sockets of which the process has logged the end", gone, len(stage.ends()))
    found.equal("tracebacks", 0, stage.tracebacks())
    found.details = {"mebibytes": steps}
    return found


def growth(steps: Sequence[float]) -> float:
    """The last memory, divided by the mean of the first third."""
    return steps[-1] / fmean(steps[: max(1, len(steps) // 3)])


def _visit(stage: Stage, number: int, ticket: str) -> None:
    """Every second one says that it leaves, the others break off."""
    socket = opened(stage.server.port, ticket)
    socket.send(request(id=1, op="subscribe", channel=stage.channel))
    answer_of(socket)
    if number % TAKES_AN_EVENT == 0:
        answer_of(socket)
    if number % 2:
        socket.reset()
        return
    socket.send(masked(CLOSE, (1000).to_bytes(2)))
    socket.frame()
    socket.close()
