"""Whether the web process's memory stays flat over many requests."""

import shutil
from typing import Any

from bench.ingest.contestants import Contestant
from bench.ingest.measuring import Measuring

WARM_UP = 50_000
FLAT_PERCENT = 10.0
"""Growth after the warm-up that still counts as flat."""
CONNECTIONS = 100
SECONDS = 3
"""Seconds between two samples."""
_MIB = 1024 * 1024


def watch(measuring: Measuring, ours: Contestant, requests: int) -> dict[str, Any]:
    """Play until ``requests`` are answered; sample the resident memory between plays."""
    samples = [(0, ours.server.resident_bytes())]
    while samples[-1][0] < requests:
        folder = measuring.sign(SECONDS)
        played = measuring.measure(ours, folder, CONNECTIONS, SECONDS)
        shutil.rmtree(folder)
        samples.append((samples[-1][0] + played.answers, ours.server.resident_bytes()))
    return judged(samples, min(WARM_UP, requests // 4))


def judged(samples: list[tuple[int, int]], warm_up: int) -> dict[str, Any]:
    """The result of the samples (requests so far, bytes)."""
    warm = next(size for answered, size in samples if answered >= warm_up)
    last = samples[-1][1]
    growth = round(100.0 * (last - warm) / warm, 1)
    return {
        "requests": samples[-1][0],
        "warm_up": warm_up,
        "first_mib": round(warm / _MIB, 1),
        "last_mib": round(last / _MIB, 1),
        "growth_percent": growth,
        "flat": growth < FLAT_PERCENT,
        "samples": [{"requests": answered, "mib": round(size / _MIB, 1)} for answered, size in samples],
    }
