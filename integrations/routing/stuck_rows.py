"""Rows that another session keeps locked: they cost the events that need them, and no other (docs/adr/0078).

Routing gives up on such a row after some seconds. Were each further event of the same wedding to wait as long, a few
hundred of them would keep all threads of a worker busy. So each process remembers for a while which wedding it was, and
asks for its row only in passing. The sweep asks for the events again.
"""

import threading
import time
from datetime import timedelta
from uuid import UUID

import structlog
from django.db import connection, transaction
from django.db.models.functions import Now

from integrations.health import alerts
from integrations.models.health import Cause
from wedsync import correlation
from wedsync.database.sessions import ROUTING_PATIENCE_MILLISECONDS, wait_at_most
from wedsync.live.models import ChannelEvent

log = structlog.get_logger(__name__)
REMEMBERED = 10.0  # seconds
IN_PASSING_MILLISECONDS = 50
BESIDE_OTHERS_MILLISECONDS = 250
"""While further events of the same message wait."""
STANDS_STILL_SECONDS = 1.0

# https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-PG-STAT-ACTIVITY-VIEW
_STANDING_STILL = """
SELECT EXISTS (
    SELECT FROM pg_stat_activity AS session
    WHERE session.datname = current_database() AND session.pid <> pg_backend_pid() AND session.xact_start IS NOT NULL
      AND session.wait_event_type IS DISTINCT FROM 'Lock'
      AND session.state_change < clock_timestamp() - make_interval(secs => %s)
      AND EXISTS (
          SELECT FROM pg_locks AS held
          WHERE held.pid = session.pid AND held.granted AND held.mode IN ('RowShareLock', 'RowExclusiveLock')
      )
)
"""


class StuckRows:
    """What this process knows of weddings whose events could not be routed."""

    def __init__(self) -> None:
        self._until: dict[UUID, float] = {}
        self._lock = threading.Lock()

    def is_known(self, key: UUID) -> bool:
        """Whether an event of this wedding, or organization, has met a locked row within the last seconds."""
        if not self._until:  # nearly always
            return False
        return self._until.get(key, 0.0) > time.monotonic()

    def note(self, key: UUID) -> bool:
        """Remember it; whether it was not known before."""
        now = time.monotonic()
        with self._lock:
            self._until = {each: until for each, until in self._until.items() if until > now}
            fresh = key not in self._until
            self._until[key] = now + REMEMBERED
        return fresh

    def forget(self) -> None:
        """Forget all of them."""
        with self._lock:
            self._until = {}


known = StuckRows()


def key_of(event: ChannelEvent) -> UUID:
    """What shares the event's rows: its wedding, else its organization."""
    return event.wedding_id or event.organization_id


def _moves(event: ChannelEvent) -> bool:
    """Whether others that share the event's rows were routed just now: then many want the row, and nobody is stuck.

    A hundred reports of one emergency lock the same incident one after the other. Were they taken for stuck, each
    would only look in passing, and hardly any would ever get its turn. A session that stands still with its locks is
    stuck all the same, whatever was routed before it froze.
    """
    if _a_session_stands_still():
        return False
    shared = {"wedding_id": event.wedding_id} if event.wedding_id else {"organization_id": event.organization_id}
    lately = timedelta(milliseconds=2 * ROUTING_PATIENCE_MILLISECONDS)  # a transaction begins before it waits
    return ChannelEvent.objects.filter(**shared, routed_at__gt=Now() - lately).exists()


def _a_session_stands_still() -> bool:
    """Whether a session keeps rows locked, and neither waits for a lock itself nor has done anything for a second."""
    with connection.cursor() as cursor:
        cursor.execute(_STANDING_STILL, [STANDS_STILL_SECONDS])
        return bool(cursor.fetchone()[0])


def tell(event_id: UUID) -> None:
    """Note that an event could not be routed because of a locked row, and tell staff once.

    Where others of its wedding get on, it only waits for its turn. The alert ends by itself when no event has met the
    row for a minute.
    """
    event = ChannelEvent.objects.filter(id=event_id).only("organization_id", "wedding_id", "correlation_id").first()
    if event is not None:
        with correlation.of(event.correlation_id, event_id=str(event_id)):
            _tell(event)


def _tell(event: ChannelEvent) -> None:
    wedding_id = str(event.wedding_id or "")
    if _moves(event):
        log.info("event_waits_for_its_turn", wedding_id=wedding_id)
        return
    log.error("event_waits_for_locked_row", wedding_id=wedding_id)
    if not known.note(key_of(event)):
        return
    of_wedding = f"wedding {event.wedding_id}" if event.wedding_id else "the organization"
    said = (
        f"Events of {of_wedding} wait: another session keeps a row locked that they need. "
        "They are tried again until it lets go. A session of ours that is dead ends within 15 s; "
        "if this stays, look in pg_stat_activity for a long transaction of somebody else's."
    )
    try:
        with transaction.atomic():
            wait_at_most(ROUTING_PATIENCE_MILLISECONDS)
            alerts.raise_alert(event.organization_id, Cause.ROW_LOCKED, said, about=wedding_id)
    except Exception:  # it may be the very row that the alert needs; the log has told already
        log.exception("alert_not_written")
