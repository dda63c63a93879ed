"""Rows that another session keeps locked: they delay the events that need them, and no others (docs/adr/0078).

Routing gives up waiting for such a row after some seconds. If each further event of the same wedding waited as long, a
few hundred of them would occupy all threads of a worker. So each process remembers the wedding for a while, and then
waits only briefly for its row. The sweep hints the events again.
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
IDLE_SECONDS = 1.0

# https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-PG-STAT-ACTIVITY-VIEW
_IDLE_WITH_LOCKS = """
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
    """The weddings whose events this process could not route."""

    def __init__(self) -> None:
        self._until: dict[UUID, float] = {}
        self._lock = threading.Lock()

    def is_known(self, key: UUID) -> bool:
        """Whether an event of this wedding, or organization, has met a locked row in the last few seconds."""
        if not self._until:  # nearly always
            return False
        return self._until.get(key, 0.0) > time.monotonic()

    def note(self, key: UUID) -> bool:
        """Remember a wedding or organization; returns whether it is new."""
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
    """The id of the event's wedding, or else of its organization: its events need the same rows."""
    return event.wedding_id or event.organization_id


def _moves(event: ChannelEvent) -> bool:
    """Whether other events with the same rows were routed just now: then many want the row, and none is stuck.

    A hundred reports of one emergency lock the same incident one after the other. If they counted as stuck, each would
    wait only briefly, and hardly any would get its turn. A session that is idle while it holds locks makes the row
    stuck in any case, whatever was routed before it froze.
    """
    if _a_session_is_idle():
        return False
    shared = {"wedding_id": event.wedding_id} if event.wedding_id else {"organization_id": event.organization_id}
    lately = timedelta(milliseconds=2 * ROUTING_PATIENCE_MILLISECONDS)  # a transaction begins before it waits
    return ChannelEvent.objects.filter(**shared, routed_at__gt=Now() - lately).exists()


def _a_session_is_idle() -> bool:
    """Whether a session keeps rows locked, and has neither waited for a lock itself nor done anything for a second."""
    with connection.cursor() as cursor:
        cursor.execute(_IDLE_WITH_LOCKS, [IDLE_SECONDS])
        return bool(cursor.fetchone()[0])


def alert(event_id: UUID) -> None:
    """Note that an event could not be routed because of a locked row, and alert staff once.

    If other events of its wedding are being routed, it only waits its turn. The alert ends by itself when no event has
    met the locked row for a minute.
    """
    event = ChannelEvent.objects.filter(id=event_id).only("organization_id", "wedding_id", "correlation_id").first()
    if event is not None:
        with correlation.of(event.correlation_id, event_id=str(event_id)):
            _alert(event)


def _alert(event: ChannelEvent) -> None:
    wedding_id = str(event.wedding_id or "")
    if _moves(event):
        log.info("event_waits_for_its_turn", wedding_id=wedding_id)
        return
    log.error("event_waits_for_locked_row", wedding_id=wedding_id)
    if not known.note(key_of(event)):
        return
    of_wedding = f"wedding {event.wedding_id}" if event.wedding_id else "the organization"
    text = (
        f"Events of {of_wedding} wait: another database session keeps a row locked that they need. "
        "They are tried again until it is unlocked. A dead session of ours ends within 15 s; "
        "if this lasts longer, look in pg_stat_activity for another program's long transaction."
    )
    try:
        with transaction.atomic():
            wait_at_most(ROUTING_PATIENCE_MILLISECONDS)
            alerts.raise_alert(event.organization_id, Cause.ROW_LOCKED, text, about=wedding_id)
    except Exception:  # the alert may need the very same row; the log already has it
        log.exception("alert_not_written")
