"""Faults with promises in seconds: played with production's times, on a copy whose PostgreSQL has a port.

Each is a fault like the others, and also measures times that are promised.
"""

import contextlib
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import psycopg2
import requests

from bench.chaos.emergency import Emergency, demo_door, plan_door
from bench.chaos.faults import Fault, Scene
from bench.errors import BenchError
from wedsync.runner.supervision.processes import wait_until

SESSION_ENDS = 15.0
"""Seconds within which a session ends that is idle in a transaction, or whose machine is gone."""
OTHERS_WAIT = 6.0
"""Seconds within which events of other weddings are routed despite locks; a locked row costs 3 s once."""
REDIS_AWAY = 6.0
TOLD_AFTER = 5.0
"""Seconds from Redis's return to the first message about an emergency that came meanwhile."""
REPEATED = {"system": 15.0, "email": 15.0, "slack": 15.0, "whatsapp": 20.0}
"""Seconds from a worker's death to the end of its deliveries' next try; WhatsApp first waits for a status."""
SOCKETS = 10
PAGE_ANSWERS = 2.0
"""Seconds for a page while other clients do not finish their bodies."""
PATIENCE = 60.0


def _measure(scene: Scene, promise: str, most: float, reached: Callable[[], bool], since: float) -> None:
    """Wait until something is reached; note whether it took longer than promised."""
    if not wait_until(reached, PATIENCE, 0.1):
        scene.broken.append(f"{promise}: not within {PATIENCE:.0f} s")
    elif (took := time.monotonic() - since) > most:
        scene.broken.append(f"{promise}: {took:.1f} s instead of {most:.0f} s")
    else:
        scene.measured.append(f"{promise}: {took:.1f} s")


def _count(scene: Scene, statement: str, **values: Any) -> int:
    try:
        return int(scene.copy.execute(statement, values)[0][0])
    except psycopg2.Error:
        return -1


@contextmanager
def _frozen_session(scene: Scene) -> Iterator[None]:
    """A process of ours locks ten weddings, and its machine vanishes: it stops, and its socket is silently cut."""
    process = scene.copy.begin("-m", "bench.chaos.frozen_session", scene.plan.facts.organization)
    try:
        locks = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE %(query)s AND state = 'idle in transaction'"
        mark = "%a session that will be frozen%"
        if not wait_until(lambda: _count(scene, locks, query=mark) > 0, PATIENCE, 0.05):
            raise BenchError("The session that is to be frozen did not begin.")
        os.kill(process.pid, signal.SIGSTOP)
        with ThreadPoolExecutor(1) as beside:
            ended = beside.submit(
                _measure, scene, "the frozen session ends", SESSION_ENDS,
                lambda: _count(scene, locks, query=mark) == 0, time.monotonic(),
            )  # fmt: skip
            yield
            _measure_others(scene)
            ended.result()
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        process.wait()


def _measure_others(scene: Scene) -> None:
    """Measure how long events of unlocked weddings wait for their routing."""
    others = (
        "SELECT count(*) FROM live_channelevent WHERE routing = 'pending' AND organization_id = %(organization)s"
        " AND wedding_id NOT IN (SELECT id FROM weddings_wedding WHERE organization_id = %(organization)s"
        " ORDER BY id::text LIMIT 10) AND received_at < to_timestamp(%(until)s)"
    )
    given = {"organization": scene.plan.facts.organization, "until": time.time()}
    _measure(
        scene,
        "all events of other weddings are routed",
        OTHERS_WAIT,
        lambda: _count(scene, others, **given) == 0,
        time.monotonic(),
    )


@contextmanager
def _read_only_postgres(scene: Scene) -> Iterator[None]:
    """PostgreSQL is read-only, as after a failover to a standby."""
    _settle_setting(scene, "ALTER SYSTEM SET default_transaction_read_only = on")
    try:
        if not wait_until(lambda: _ready(scene) == 503, 10, 0.1):
            scene.broken.append("/readyz does not answer 503 while PostgreSQL is read-only")
        yield
    finally:
        _settle_setting(scene, "ALTER SYSTEM RESET default_transaction_read_only")


def _settle_setting(scene: Scene, statement: str) -> None:
    for each in ("SET default_transaction_read_only = off", statement, "SELECT pg_reload_conf()"):
        scene.copy.execute(each)


def _ready(scene: Scene) -> int:
    try:
        return requests.get(f"http://127.0.0.1:{scene.copy.port}/readyz", timeout=5).status_code
    except requests.RequestException:
        return 0


@contextmanager
def _redis_away(scene: Scene) -> Iterator[None]:
    """Valkey is killed repeatedly for six seconds; an emergency comes in the first."""
    began, emergency = time.monotonic(), Emergency(plan_door(scene))
    with contextlib.suppress(BenchError):
        os.kill(scene.copy.process("valkey").pid, signal.SIGKILL)
    event = emergency.report()
    while time.monotonic() - began < REDIS_AWAY:
        with contextlib.suppress(BenchError, ProcessLookupError):
            os.kill(scene.copy.process("valkey").pid, signal.SIGKILL)
        time.sleep(0.02)
    if not wait_until(lambda: scene.copy.runs("valkey"), PATIENCE, 0.02):
        raise BenchError("Valkey did not come back.")
    back = time.monotonic()
    told = "SELECT count(*) FROM integrations_delivery WHERE event_id = %(event)s::uuid AND state = 'succeeded'"
    _measure(scene, "told after Redis is back", TOLD_AFTER, lambda: _count(scene, told, event=event) > 0, back)
    yield


@contextmanager
def _urgent_worker_killed(scene: Scene) -> Iterator[None]:
    """The providers do not answer, and the worker dies while it waits for them."""
    services = ("whatsapp", "resend")
    for service in services:
        scene.copy.sandbox("POST", "faults", {"service": service, "mode": "hang"})
    try:
        event = Emergency(demo_door(scene)).report()
        under_way = (
            "SELECT coalesce(count(DISTINCT channel), 0) FROM integrations_delivery WHERE event_id = %(event)s::uuid"
            " AND state = 'in_flight' AND request IS NOT NULL AND channel IN ('whatsapp', 'email')"
        )
        if not wait_until(lambda: _count(scene, under_way, event=event) == len(services), PATIENCE, 0.02):
            raise BenchError("No urgent calls by WhatsApp and email were under way.")
        os.kill(scene.copy.process("worker-urgent").pid, signal.SIGKILL)
        died = time.monotonic()
    finally:
        scene.copy.sandbox("DELETE", "faults")
    open_ones = (
        "SELECT count(*) FROM integrations_delivery WHERE event_id = %(event)s::uuid AND channel = %(channel)s"
        " AND attempt_count > 0 AND state NOT IN ('succeeded', 'dead', 'cancelled', 'skipped')"
    )
    for channel in ("email", "whatsapp"):
        _measure(
            scene,
            f"{channel} is repeated after its worker died",
            REPEATED[channel],
            lambda channel=channel: _count(scene, open_ones, event=event, channel=channel) == 0,  # type: ignore[misc]
            died,
        )
    yield


@contextmanager
def _unfinished_bodies(scene: Scene) -> Iterator[None]:
    """Strangers begin to send requests and never finish."""
    head = b"POST /unsubscribe/x/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\n"
    with contextlib.ExitStack() as held:
        for _ in range(SOCKETS):
            stranger = held.enter_context(socket.create_connection(("127.0.0.1", scene.copy.port), timeout=5))
            stranger.sendall(head)
        for path in ("/livez", "/readyz", "/admin/login/"):
            began = time.monotonic()
            try:
                status = requests.get(f"http://127.0.0.1:{scene.copy.port}{path}", timeout=30).status_code
            except requests.RequestException as error:
                status = type(error).__name__  # type: ignore[assignment]
            took = time.monotonic() - began
            if status != 200 or took > PAGE_ANSWERS:
                scene.broken.append(f"{path} is answered {status} after {took:.1f} s beside unfinished bodies")
            else:
                scene.measured.append(f"{path} beside unfinished bodies: {took:.1f} s")
        yield


SITUATIONS = (
    Fault("session-frozen", "a machine freezes inside a transaction, its socket is cut",
          _frozen_session, lasts=8.0, default_times=True, rate=4.0),
    Fault("postgres-read-only", "PostgreSQL is read-only", _read_only_postgres, lasts=6.0, default_times=True),
    Fault("redis-away", "Valkey is away for 6 s while an emergency comes", _redis_away, default_times=True,
          rate=4.0),
    Fault("worker-killed-urgent", "SIGKILL of the urgent worker amid an emergency's calls",
          _urgent_worker_killed, default_times=True, rate=4.0),
    Fault("unfinished-bodies", "ten strangers send requests that never end", _unfinished_bodies, default_times=True),
)  # fmt: skip
