"""Each odd input beside sockets that are served: with which code it ends, and what the others notice."""

import time
from collections.abc import Sequence
from statistics import median

from bench.pressure.odd_inputs import INPUTS, Odd
from bench.pressure.part import Figure, Part
from bench.pressure.sizes import Sizes
from bench.pressure.sockets import counted
from bench.pressure.stage import Events, Say, Stage

NAME = "odd"
CONTROL_EVERY = 4  # inputs between two measurements without one
TIMES, MILLISECONDS = 1.5, 50.0


def measure(stage: Stage, sizes: Sizes, say: Say) -> Part:
    """Play each input in turn, with measurements without one in between."""
    found = Part(NAME)
    stage.follow(sizes.followers)
    without: list[Events] = []
    beside: dict[str, Events] = {}
    for number, odd in enumerate(INPUTS):
        if number % CONTROL_EVERY == 0:
            without.append(_control(stage, sizes))
        say(odd.name)
        beside[odd.name] = _play(stage, sizes, odd, found)
    without.append(_control(stage, sizes))
    alone = median(each.p99 for each in without)
    found.note("p99 without any", f"{alone:.1f} ms (from {min(e.p99 for e in without):.1f} to "
               f"{max(e.p99 for e in without):.1f} by turn)")  # fmt: skip
    for name, events in beside.items():
        found.at_most(f"p99 beside {name}", round(bound(alone), 1), events.p99, " ms")
    found.ratios["odd_p99"] = round(max(each.p99 for each in beside.values()) / alone, 3)
    found.equal("events that the others missed", 0, _missed([*without, *beside.values()]))
    found.equal("tracebacks", 0, stage.tracebacks())
    found.details = {"p99_without": alone, "p99": {name: each.p99 for name, each in beside.items()}}
    return found


def bound(alone: float) -> float:
    """The p99 in milliseconds that the others may have: 1.5 times of theirs alone or 50 ms, the larger."""
    return max(TIMES * alone, MILLISECONDS)


def _missed(all_events: Sequence[Events]) -> int:
    return sum(each.missed for each in all_events)


def _control(stage: Stage, sizes: Sizes) -> Events:
    with stage.events() as events:
        time.sleep(sizes.odd_window)
    return events


def _play(stage: Stage, sizes: Sizes, odd: Odd, found: Part) -> Events:
    count = max(2, int(odd.sockets * sizes.share)) if odd.by_share else odd.sockets
    tickets = stage.tickets(count)
    with stage.events() as events:
        end = time.monotonic() + sizes.odd_window
        outcomes = odd.play(stage.server.port, tickets)
        time.sleep(max(0.0, end - time.monotonic()))
    found.figures.append(
        Figure(odd.name, " or ".join(sorted(odd.codes)), counted(outcomes), set(outcomes) <= odd.codes)
    )
    return events
