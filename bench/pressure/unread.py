"""Sockets that never read what they are sent, beside sockets that do."""

import time
from collections import Counter
from contextlib import ExitStack
from datetime import datetime
from typing import Any

from bench.pressure.part import Part
from bench.pressure.sizes import Sizes
from bench.pressure.sockets import Connection, answer_of, counted, opened, request
from bench.pressure.stage import Say, Stage

NAME = "unread"
EVENT_BYTES = 120_000
RECEIVE_BUFFER = 4_096  # bytes
EACH_SECOND = 50  # sockets that connect
CLOSED_WITHIN = 15.0  # seconds
PATIENCE = 45.0  # seconds for all to be closed


def measure(stage: Stage, sizes: Sizes, say: Say) -> Part:
    """Open the sockets, send large events, see when each is closed and what it costs the others."""
    found = Part(NAME)
    stage.follow(sizes.healthy)
    say("large events that nobody follows")
    with stage.events() as alone, stage.large_events(EVENT_BYTES):
        time.sleep(sizes.window)
    before = stage.mebibytes()
    with ExitStack() as held:
        say(f"{sizes.unread} sockets connect")
        with stage.events() as connecting:
            for number in range(0, sizes.unread, EACH_SECOND):
                _connect(stage, min(EACH_SECOND, sizes.unread - number), held)
        say("large events that are not read")
        memory: list[float] = [stage.mebibytes()]
        with stage.events() as beside, stage.large_events(EVENT_BYTES) as large:
            end = time.monotonic() + PATIENCE
            least = time.monotonic() + sizes.window
            while time.monotonic() < least or (_still_open(stage, sizes) and time.monotonic() < end):
                memory.append(stage.mebibytes())
                time.sleep(0.5)
        ends = stage.ends()
        say(f"a rest of {sizes.rest:g} s")
        time.sleep(sizes.rest)
    after = stage.mebibytes()
    _judge(found, sizes, ends, large.found[0])
    found.note("memory before", f"{before:.0f} MiB")
    found.note("memory with the sockets open", f"{memory[0]:.0f} MiB")
    found.note("memory at most", f"{max(memory):.0f} MiB")
    found.ratio_at_most("unread_memory", "memory after the rest, of that before", 1.2, after / before)
    found.note("p99 of the others without them", f"{alone.p99:.1f} ms")
    found.note("p99 of the others while they connect", f"{connecting.p99:.1f} ms")
    found.note("p99 of the others beside them", f"{beside.p99:.1f} ms")
    found.ratio_at_most("unread_p99", "p99 beside them, of that without", 1.5, beside.p99 / alone.p99)
    found.equal("events that the others missed", 0, alone.missed + connecting.missed + beside.missed)
    found.equal("tracebacks", 0, stage.tracebacks())
    found.details = {
        "mebibytes": {"before": before, "open": memory[0], "most": max(memory), "after": after},
        "longest_ms": {"alone": alone.longest, "connecting": connecting.longest, "beside": beside.longest},
    }
    return found


def _connect(stage: Stage, count: int, held: ExitStack) -> None:
    began = time.monotonic()
    tickets = stage.tickets(count)
    made: list[Connection] = []
    for ticket in tickets:
        made.append(held.enter_context(opened(stage.server.port, ticket, receive_buffer=RECEIVE_BUFFER)))
        made[-1].send(request(id=1, op="subscribe", channel=stage.large_channel))
    for each in made:
        answer_of(each)
    time.sleep(max(0.0, began + count / EACH_SECOND - time.monotonic()))


def _still_open(stage: Stage, sizes: Sizes) -> bool:
    return len(stage.ends()) < sizes.unread


def _judge(found: Part, sizes: Sizes, ends: list[dict[str, Any]], first: float) -> None:
    """From the commit of the first large event, of which the kernel cannot take two."""
    offset = time.time() - time.monotonic()
    late = [datetime.fromisoformat(each["timestamp"]).timestamp() - offset - first for each in ends]
    found.equal(
        "sockets closed, by code", f"3008 ({sizes.unread})", counted(Counter(str(each["code"]) for each in ends))
    )
    if late:
        found.note("first closed after", f"{min(late):.1f} s")
        found.at_most("last closed after", CLOSED_WITHIN, max(late), " s")
