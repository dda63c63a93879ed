"""The sweep: finds from the rows whatever a lost hint, a dead worker or an emptied Redis left behind (docs/adr/0001).

Any number of sweeps may run: each takes rows with ``SKIP LOCKED`` and marks them before it hints, so that two never
hint the same row and a long queue is not filled with repetitions.
"""

from collections.abc import Callable
from dataclasses import dataclass

import structlog
from django.db.models.functions import Now

from integrations.deliveries.releases import release_held
from integrations.deliveries.state_changes import change_unlocked
from integrations.models import Delivery
from integrations.references.late_linking import LateLinking
from integrations.routing.unrouted import hint_events
from integrations.sending.due import hint_deliveries
from integrations.sending.expired_leases import end_leases
from integrations.states import WAITING, Reason, State
from wedsync.database.errors import POSTGRES_AWAY, lock_is_held

log = structlog.get_logger(__name__)
BATCHES = 5  # of a kind in one round, a thousand rows each; the next round continues
Round = Callable[[], int]
_rounds: list[Round] = []  # of higher rooms, which this module must not import
_late_linking = LateLinking()  # each process goes through the unlinked events on its own


@dataclass(frozen=True)
class Found:
    """What one sweep recovered."""

    events: int
    deliveries: int
    leases: int
    expired: int
    linked: int
    beside: int  # by the rounds of higher rooms

    @property
    def total(self) -> int:
        """The sum of all."""
        return self.events + self.deliveries + self.leases + self.expired + self.linked + self.beside


def sweep() -> Found:
    """One round over everything that may have been left behind."""
    release_held(batches=BATCHES)
    return Found(
        leases=end_leases(),
        expired=expire(),
        linked=_late_linking.round(),
        events=hint_events(),
        deliveries=hint_deliveries(),
        beside=_rounds_beside(),
    )


def register_round(work: Round) -> None:
    """Add work to each sweep; it returns how much it found. A room calls this once, when it is ready.

    The work may run in several processes at the same time, and the sweep waits for it: pick few rows, and mark them.
    """
    if work not in _rounds:
        _rounds.append(work)


def _rounds_beside() -> int:
    """Run the registered rounds. One that fails, or meets a locked row, does not stop the others.

    An unreachable database ends the sweep, as elsewhere.
    """
    found = 0
    for work in _rounds:
        try:
            found += work()
        except POSTGRES_AWAY as error:
            if not lock_is_held(error):
                raise
            log.warning("round_met_locked_row", work=f"{work.__module__}.{work.__qualname__}")
        except Exception:
            log.exception("round_failed", work=f"{work.__module__}.{work.__qualname__}")
    return found


def expire() -> int:
    """End expired deliveries; staff see them as dead."""
    late = Delivery.objects.filter(state__in=list(WAITING), expires_at__lte=Now())
    return change_unlocked(late, State.DEAD, Reason.EXPIRED, batches=BATCHES)
