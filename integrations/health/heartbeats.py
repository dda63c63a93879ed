"""Heartbeats. Processes watch each other's, since a dead process cannot report itself (docs/adr/0035).

Each kind of process that must always run renews its row. Web processes and sweeps check the age of the others' rows; a
process that finds one too old alerts every organization that listens, once an hour, by a conditional write.
"""

import asyncio
import socket
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

import structlog
from django.conf import settings
from django.db import Error, close_old_connections, transaction
from django.db.models import Q
from django.db.models.functions import Now

from integrations.health import alerts
from integrations.models import Alert, Heartbeat
from integrations.models.health import Cause
from wedsync.database.threads import in_thread

log = structlog.get_logger(__name__)


class Part(StrEnum):
    """The parts that must be alive. ``health``: beat and a worker of the queue ``high``, proved by the health sweep."""

    WEB = "web"
    SWEEP = "sweep"
    HEALTH = "health"

    @property
    def longest_silence(self) -> float:
        """Seconds: six heartbeats; for the health sweep three rounds."""
        return 3 * settings.HEALTH_SECONDS if self == Part.HEALTH else 6 * settings.HEARTBEAT_SECONDS

    @property
    def cause(self) -> Cause:
        """The alert's cause when it is silent."""
        return {Part.WEB: Cause.WEB_SILENT, Part.SWEEP: Cause.SWEEP_SILENT, Part.HEALTH: Cause.HEALTH_SILENT}[self]

    @property
    def meaning(self) -> str:
        """The effect on people while it is silent."""
        return {
            Part.WEB: "Webhooks are not received, and no pages are shown.",
            Part.SWEEP: "Held deliveries and later retries wait, and the work of dead workers is not recovered.",
            Part.HEALTH: "The figures are out of date: beat, or the worker of the queue “high”, has stopped.",
        }[self]


def beat(part: Part) -> None:
    """Record a heartbeat."""
    Heartbeat.objects.bulk_create(
        [Heartbeat(name=part, hostname=socket.gethostname())],
        update_conflicts=True,
        unique_fields=["name"],
        update_fields=["at", "hostname"],
    )


def check(part: Part) -> bool:
    """Whether a part is alive. Raises an alert when it is silent, and closes that alert when it is back.

    A part that has never sent a heartbeat counts as seen now, so that its silence is noticed too.
    """
    Heartbeat.objects.bulk_create([Heartbeat(name=part)], ignore_conflicts=True)
    silent = Heartbeat.objects.filter(name=part, at__lt=Now() - timedelta(seconds=part.longest_silence))
    if not silent.exists():
        with transaction.atomic():
            if Heartbeat.objects.filter(name=part).exclude(silence_told_at=None).update(silence_told_at=None):
                alerts.resolve_all(Alert.objects.filter(cause=part.cause))
        return True
    untold = Q(silence_told_at=None) | Q(silence_told_at__lte=Now() - alerts.QUIET)
    with transaction.atomic():
        if silent.filter(untold).update(silence_told_at=Now()):
            told = alerts.raise_everywhere(part.cause, f"No sign of life from “{part}”. {part.meaning}")
            log.error("heartbeat_missing", part=part.value, organizations_told=told)
    return False


@dataclass
class Pulse:
    """A process's own heartbeat, and its watch over the others."""

    own: Part
    watched: Iterable[Part]

    def __post_init__(self) -> None:
        self._began = time.monotonic()
        self._next = 0.0

    def round(self) -> None:
        """Beat, and check the others, if it is time. An unreachable database ends this round only.

        The others get time to start: after a night's stop nothing is reported as missing in the first second.
        """
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + settings.HEARTBEAT_SECONDS
        try:
            beat(self.own)
            for part in self.watched:
                if now - self._began > part.longest_silence:
                    check(part)
        except Error as error:
            log.warning("heartbeat_failed", part=self.own.value, error=type(error).__name__)
            close_old_connections()

    async def keep(self) -> None:
        """Beat for as long as the event loop runs."""
        while True:
            try:
                await in_thread(self.round)
            except Exception:  # a heartbeat that stops because of an error of its own would raise a false alarm
                log.exception("heartbeat_broken", part=self.own.value)
            await asyncio.sleep(settings.HEARTBEAT_SECONDS)
