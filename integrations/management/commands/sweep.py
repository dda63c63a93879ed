"""``manage.py sweep``: one sweep, or with ``--loop`` one a second until told to stop."""

import signal
import threading
from argparse import ArgumentParser
from typing import Any

import structlog
from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import Error, connection

from integrations.health.heartbeats import Part, Pulse
from integrations.health.watchdog import Watchdog
from integrations.sweep import sweep
from integrations.systems import key_check
from wedsync import startup
from wedsync.celery import announce_ready
from wedsync.database import sessions
from wedsync.database.sessions import Role
from wedsync.live.fan_out import hints

log = structlog.get_logger(__name__)


class Command(BaseCommand):
    """Any number may run beside the workers."""

    help = "Recover what a lost hint or a dead worker left behind."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """``--loop``."""
        parser.add_argument("--loop", action="store_true", help="sweep repeatedly until SIGTERM")

    def handle(self, *args: Any, loop: bool, **options: Any) -> None:
        """Sweep. An unreachable database ends one round, not the loop."""
        startup.verify()
        key_check.verify()
        if not loop:
            self.stdout.write(f"recovered: {sweep().total}")
            hints.flush()
            return
        sessions.become_everywhere(Role.SWEEP)
        connection.close()  # the next one gets the settings of a sweep
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        announced = False
        watchdog = Watchdog()
        pulse = Pulse(Part.SWEEP, watched=(Part.WEB, Part.HEALTH))
        while not stop.wait(settings.SWEEP_SECONDS if announced else 0):
            try:
                found = sweep()
            except Error as error:
                log.warning("sweep_failed", error=type(error).__name__)
                connection.close()
                stop.wait(settings.SWEEP_SECONDS)
                continue
            pulse.round()
            watchdog.round()
            if found.total:
                log.info("swept", events=found.events, deliveries=found.deliveries, leases=found.leases)
            if not announced:
                announce_ready()
                announced = True
