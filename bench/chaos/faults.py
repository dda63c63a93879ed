"""The faults, each a context: entering injects it, it lasts while the load goes on, and leaving ends it.

Only what a person or the outside would repair is repaired here: a target works again, and staff resume a system whose
target was gone. Processes that die are restarted by the product's own supervisor.
"""

import contextlib
import math
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field

import redis

from bench.chaos.copy import LEASE_SECONDS, URGENT_LEASE_SECONDS, AttackedCopy, Plan
from bench.chaos.seed import FOR_ALL, NAMES
from bench.errors import BenchError
from wedsync.runner.supervision.processes import wait_until

WORKERS = ("urgent", "high", "normal", "low")
EVERYTHING = ("web", "sweep", *(f"worker-{name}" for name in WORKERS))
BROKEN = NAMES[:FOR_ALL]
"""The signed webhooks that fail: those that receive all event types."""
SERVICES = ("webhook", "party_rental", "resend")
"""The targets at the sandbox; each worker has at least one."""
FROZEN_SECONDS = 4.0
PATIENCE = 45.0
"""Seconds within which a fault must meet a call; a slow machine routes late."""
HITS = 3
STOP_SECONDS = 10.0


@dataclass(frozen=True)
class Scene:
    """The place of a fault.

    ``broken``: promises in seconds that were broken; ``measured``: those that were kept, with their times.
    """

    copy: AttackedCopy
    plan: Plan
    broken: list[str] = field(default_factory=list)
    measured: list[str] = field(default_factory=list)


Strike = Callable[[Scene], AbstractContextManager[None]]


@dataclass(frozen=True)
class Fault:
    """One fault.

    ``lasts``: the least number of seconds. ``hits``: how many calls it must spoil before it ends. ``deaths``: whether
    deliveries may die of it. ``default_times``: it is played with production's times. ``rate``: the most webhooks per
    second, for promises in seconds that a copy under full load cannot keep.
    """

    name: str
    about: str
    strike: Strike
    lasts: float = 0.0
    hits: int = 0
    deaths: bool = False
    default_times: bool = False
    rate: float = math.inf


def _kill(*names: str) -> Strike:
    @contextmanager
    def strike(scene: Scene) -> Iterator[None]:
        for name in names:
            os.kill(scene.copy.process(name).pid, signal.SIGKILL)
        yield

    return strike


def _kill_amid_calls(worker: str) -> Strike:
    """The targets answer slowly, so that calls are under way when the worker dies."""

    @contextmanager
    def strike(scene: Scene) -> Iterator[None]:
        with _slow_targets(scene):
            _await_calls(scene, worker)
            os.kill(scene.copy.process(f"worker-{worker}").pid, signal.SIGKILL)
            yield

    return strike


@contextmanager
def _slow_targets(scene: Scene) -> Iterator[None]:
    for service in SERVICES:
        scene.copy.sandbox("POST", "faults", {"service": service, "mode": "latency", "seconds": 0.8})
    try:
        yield
    finally:
        scene.copy.sandbox("DELETE", "faults")


def _await_calls(scene: Scene, worker: str) -> None:
    if not wait_until(lambda: _under_way(scene, worker), PATIENCE, 0.05):
        raise BenchError(f"No call of worker-{worker} was under way within {PATIENCE:.0f} s.")


def _under_way(scene: Scene, worker: str) -> bool:
    """Whether a call of this worker waits for its answer: it was claimed a moment ago, and has begun."""
    ((count,),) = scene.copy.execute(
        "SELECT count(*) FROM integrations_delivery WHERE state = 'in_flight' AND priority = %(priority)s"
        " AND attempt_count > 0"
        " AND lease_until < now() + make_interval(secs => %(lease)s - 0.2) AND organization_id = %(organization)s",
        {
            "priority": worker,
            "lease": URGENT_LEASE_SECONDS if worker == "urgent" else LEASE_SECONDS,
            "organization": scene.plan.facts.organization,
        },
    )
    return bool(count)


def _freeze(name: str) -> Strike:
    @contextmanager
    def strike(scene: Scene) -> Iterator[None]:
        pid = scene.copy.process(name).pid
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    return strike


def _freeze_amid_calls(worker: str) -> Strike:
    """The worker wakes when its leases have ended, and writes late."""

    @contextmanager
    def strike(scene: Scene) -> Iterator[None]:
        with _slow_targets(scene):
            _await_calls(scene, worker)
            with _freeze(f"worker-{worker}")(scene):
                yield

    return strike


@contextmanager
def _flush_valkey(scene: Scene) -> Iterator[None]:
    _flush(scene)
    yield


@contextmanager
def _lose_valkey(scene: Scene) -> Iterator[None]:
    """Valkey is emptied, and killed before anybody writes to it again."""
    _flush(scene)
    os.kill(scene.copy.process("valkey").pid, signal.SIGKILL)
    yield


def _flush(scene: Scene) -> None:
    with contextlib.closing(redis.Redis.from_url(scene.copy.redis_url)) as client:
        client.flushall()


@contextmanager
def _restart_postgres(scene: Scene) -> Iterator[None]:
    """A fast shutdown, which ends every connection; the supervisor restarts PostgreSQL."""
    os.kill(scene.copy.process("postgres").pid, signal.SIGINT)
    yield


@contextmanager
def _second_sweep(scene: Scene) -> Iterator[None]:
    """Two sweeps find everything from the rows at the same time, since no hint is left."""
    process = scene.copy.begin("manage.py", "sweep", "--loop")
    try:
        _flush(scene)
        yield
        _flush(scene)
        wait_until(lambda: process.poll() is not None, 3.0)
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def hits(scene: Scene) -> int:
    """How many calls the sandbox's faults have spoiled so far."""
    return sum(fault["hits"] for fault in scene.copy.sandbox("GET", "faults")["faults"])


def _target(mode: str, **how: object) -> Strike:
    """Some signed webhooks fail; the others and all other targets work."""

    @contextmanager
    def strike(scene: Scene) -> Iterator[None]:
        for name in BROKEN:
            place = {"service": "webhook", "path": f"/webhook/{name}"}
            scene.copy.sandbox("POST", "faults", {**place, "mode": mode, **how})
        try:
            yield
        finally:
            scene.copy.sandbox("DELETE", "faults")

    return strike


@contextmanager
def _gone_target(scene: Scene) -> Iterator[None]:
    """The target answers 410, which disables its system; staff resume it afterwards."""
    with _target("status", status=410)(scene):
        yield
    scene.copy.execute(
        "UPDATE integrations_system SET state = 'active', state_reason = '' WHERE id = ANY(%(systems)s::uuid[])",
        {"systems": [scene.plan.systems[name] for name in BROKEN]},
    )


def _target_fault(name: str, about: str, strike: Strike, *, deaths: bool = False) -> Fault:
    return Fault(name, about, strike, hits=HITS if not deaths else 1, deaths=deaths)


FAULTS = (
    Fault("none", "nothing fails, for comparison", _kill()),
    *(
        Fault(f"kill-worker-{name}", f"SIGKILL of the worker of {name} deliveries amid calls", _kill_amid_calls(name))
        for name in WORKERS
    ),
    Fault("kill-web", "SIGKILL of the web process", _kill("web")),
    Fault("kill-sweep", "SIGKILL of the sweep", _kill("sweep")),
    Fault("kill-beat", "SIGKILL of the beat", _kill("beat")),
    Fault("kill-all", "SIGKILL of web, sweep and all workers together", _kill(*EVERYTHING)),
    Fault("freeze-worker", "SIGSTOP of a worker amid its calls until its leases have ended; it writes late",
          _freeze_amid_calls("high"), lasts=LEASE_SECONDS + 2.0),
    Fault("valkey-kill", "SIGKILL of Valkey", _kill("valkey")),
    Fault("valkey-flush", "FLUSHALL", _flush_valkey),
    Fault("valkey-lost", "FLUSHALL, then SIGKILL of Valkey", _lose_valkey),
    Fault("valkey-freeze", "SIGSTOP of Valkey, then SIGCONT", _freeze("valkey"), lasts=FROZEN_SECONDS),
    Fault("postgres-restart", "fast shutdown of PostgreSQL", _restart_postgres),
    Fault("postgres-kill", "SIGKILL of PostgreSQL", _kill("postgres")),
    Fault("two-sweeps", "a second sweep, and no hint left for either", _second_sweep),
    _target_fault("target-500", "targets answer 500", _target("status", status=500)),
    _target_fault("target-429", "targets answer 429 with Retry-After: 1", _target("status", status=429, retry_after=1)),
    _target_fault("target-410", "targets answer 410 and are disabled; staff resume them", _gone_target, deaths=True),
    _target_fault("target-hang", "targets accept the request and never answer", _target("hang", after=True)),
    _target_fault("target-reset", "targets reset the connection", _target("reset")),
    _target_fault("target-taken-reset", "targets accept the request and reset the connection instead of answering",
                  _target("reset", after=True, ratio=0.3)),
    _target_fault("target-flap", "targets fail every second call", _target("flap", status=503)),
    _target_fault("target-endless-body", "targets accept the request, and their answer never ends",
                  _target("endless_body", after=True)),
    _target_fault("target-drip-headers", "targets accept the request, and answer a byte of a header each 0.5 s",
                  _target("drip_headers", after=True, seconds=0.5)),
    _target_fault("target-drip-body", "targets accept the request, and answer a byte of a body each 0.5 s",
                  _target("drip_body", after=True, seconds=0.5)),
    _target_fault("target-random", "targets fail one call in ten", _target("status", status=500, ratio=0.1)),
)  # fmt: skip
"""In playing order."""
