"""Calls an outside watchdog each minute, but only while an emergency would go out (docs/adr/0081).

A dead system cannot report that it is dead. So a service elsewhere expects a call each minute, and raises the alarm
when none comes. The call goes the way of an emergency: the sweep sends a task after a successful round, the urgent
queue carries it, a worker receives it and writes to PostgreSQL, and only then calls the URL. If any of these has
stopped, the calls stop.
"""

from datetime import timedelta
from urllib.parse import urlsplit

import structlog
from celery import current_app
from django.conf import settings
from django.db import connection
from django.db.models.functions import Now

from integrations.errors import DeliveryError
from integrations.health.heartbeats import Part
from integrations.models import Heartbeat
from integrations.outbound import Call, check_status, send
from integrations.sweep_pace import Pace
from wedsync.live.fan_out import hints
from wedsync.queues import WATCH_TASK, Priority

log = structlog.get_logger(__name__)
NAME = "watchdog"
EVERY = 60.0  # seconds
ALMOST = timedelta(seconds=0.75 * EVERY)  # since the last call, so that several sweeps cause only one
DEADLINE = 5.0  # seconds for the call


class Watchdog:
    """The sweep's part: a task each minute, if a URL is set."""

    def __init__(self) -> None:
        self._pace = Pace(EVERY)

    def round(self) -> None:
        """Send the task if it is time, after a round of the sweep. Costs a second while Redis is away."""
        if not settings.WATCHDOG_URL or not self._pace.is_due():
            return
        if hints.queue_lengths() is None:
            return
        try:
            current_app.send_task(WATCH_TASK, queue=Priority.URGENT.value, expires=EVERY)
        except Exception as error:  # any fault of Redis; then there is no call, which is the point
            log.warning("watchdog_not_asked", error=type(error).__name__)


def call() -> bool:
    """The urgent worker's part: call the watchdog, if the sweep is alive and nobody has just called.

    Returns whether it answered.

    Raises:
        OperationalError, InterfaceError: PostgreSQL is away, so there is no call.
    """
    alive = timedelta(seconds=Part.SWEEP.longest_silence)
    if not settings.WATCHDOG_URL or not Heartbeat.objects.filter(name=Part.SWEEP, at__gte=Now() - alive).exists():
        return False
    Heartbeat.objects.bulk_create([Heartbeat(name=NAME, at=Now() - 2 * ALMOST)], ignore_conflicts=True)
    if not Heartbeat.objects.filter(name=NAME, at__lte=Now() - ALMOST).update(at=Now()):
        return False
    connection.close()
    host = urlsplit(settings.WATCHDOG_URL).hostname  # the path is often a secret
    try:
        check_status(send(Call("GET", settings.WATCHDOG_URL, b"", {}), deadline=DEADLINE))
    except DeliveryError as error:
        log.warning("watchdog_not_reached", host=host, error=type(error).__name__)
        return False
    log.info("watchdog_called", host=host)
    return True
