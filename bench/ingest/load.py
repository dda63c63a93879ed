"""The load: Debian's wrk, which sends requests from files."""

import json
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.errors import BenchError
from wedsync.runner.ports import LOCAL

SCRIPT = Path(__file__).with_name("play.lua")
THREADS = 2
PATIENCE = 10
"""Seconds that wrk waits for an answer before it counts an error."""
_MARK = "RESULT "


@dataclass(frozen=True)
class Played:
    """The figures of wrk for one measurement; latencies in milliseconds."""

    answers: int
    seconds: float
    p50_ms: float
    p99_ms: float
    longest_ms: float

    @property
    def rate(self) -> float:
        """Answers per second."""
        return self.answers / self.seconds


def require_wrk() -> str:
    """The path of wrk.

    Raises:
        BenchError: it is not installed.
    """
    found = shutil.which("wrk")
    if not found:
        raise BenchError("The load comes from wrk, which is not installed. On Debian or Ubuntu: apt-get install wrk")
    return found


def write_slices(folder: Path, requests: Iterable[bytes]) -> None:
    """Write requests for :func:`play`: a file for each of wrk's threads."""
    folder.mkdir()
    files = [(folder / str(number)).open("wb") for number in range(THREADS)]
    for place, request in enumerate(requests):
        files[place % THREADS].write(b"%d\n%b" % (len(request), request))
    for file in files:
        file.close()


def play(port: int, folder: Path, connections: int, seconds: int) -> Played:
    """Send the slices to a server on this machine.

    Arguments:
        seconds: how long; if a slice ends earlier, the measurement is not valid.

    Raises:
        BenchError: an answer was not 202, a connection failed, or a slice ran out.
    """
    command = [
        require_wrk(), "--threads", str(THREADS), "--connections", str(connections), "--duration", f"{seconds}s",
        "--timeout", f"{PATIENCE}s", "--script", str(SCRIPT), f"http://{LOCAL}:{port}/", "--", str(folder),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60, check=False)
    results = [line.removeprefix(_MARK) for line in done.stdout.splitlines() if line.startswith(_MARK)]
    if done.returncode or not results:
        raise BenchError(f"wrk failed:\n{(done.stderr or done.stdout)[-2000:]}")
    return judged(json.loads(results[0]))


def judged(seen: Mapping[str, Any]) -> Played:
    """The measurement from the counts of ``play.lua``.

    Raises:
        BenchError: it is not valid.
    """
    statuses: dict[str, int] = seen["statuses"]
    if set(statuses) != {"202"} or seen["errors"]:
        raise BenchError(f"Every answer must be 202; wrk counted {statuses} and {seen['errors']} failed connections.")
    if seen["ran_out"]:
        raise BenchError("A thread of wrk sent all its requests before the time was over. Sign more of them.")
    return Played(
        answers=statuses["202"],
        seconds=seen["microseconds"] / 1e6,
        p50_ms=seen["p50"] / 1e3,
        p99_ms=seen["p99"] / 1e3,
        longest_ms=seen["longest"] / 1e3,
    )


def wrk_version() -> str:
    """The name and version of wrk."""
    printed = subprocess.run([require_wrk(), "--version"], capture_output=True, text=True, check=False).stdout
    return " ".join(printed.split()[:2])
