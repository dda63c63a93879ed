"""Events that set a state go to a system one at a time and in order; what a newer one repeats is not sent.

An order key is a wedding and an event type, within one system. ``Delivery.sets`` names the fields that the event sets:
a newer delivery supersedes an older one if it sets every field that the older one sets.
See docs/operators/sending.md, "Order".
"""

import hashlib
from collections.abc import Iterable

import structlog
from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from integrations.deliveries.claims import Lease
from integrations.deliveries.state_changes import change, due_in, release
from integrations.models import Delivery
from integrations.rules.state_events import state_set_by
from integrations.states import WAITING, Reason, State
from wedsync.live.fan_out import hints
from wedsync.live.models import ChannelEvent

log = structlog.get_logger(__name__)
LONGEST_TURN = 60.0  # seconds; waiting deliveries are due at the turn's end, or after this if its end was missed
NO_ORDER: tuple[str, list[str]] = "", []
_LIVING = [*WAITING, State.IN_FLIGHT, State.SUCCEEDED]


def order_of(event: ChannelEvent) -> tuple[str, list[str]]:
    """The order key of a delivery to a system, and the fields that it sets; both empty if order does not matter."""
    fields = state_set_by(event.type, event.payload) if event.wedding_id else None
    return (f"{event.wedding_id}:{event.type}", sorted(fields)) if fields else NO_ORDER


# One round trip: the statements are one transaction, and each sees what was committed before it began. So each decision
# about a key sees the one before it.
_TAKE_AT_ONCE = """
SELECT pg_advisory_xact_lock(%(lock)s);
UPDATE integrations_delivery AS mine SET has_turn = true
WHERE mine.id = %(id)s AND mine.lease_token = %(token)s AND mine.state = 'in_flight' AND NOT EXISTS (
    SELECT FROM integrations_delivery AS other
    WHERE other.system_id = mine.system_id AND other.order_key = mine.order_key AND other.order_key <> ''
        AND other.id <> mine.id AND (
            other.state IN ('pending', 'scheduled', 'held', 'in_flight')
            OR other.state = 'succeeded' AND other.event_id > mine.event_id
        )
)
"""


def take_turn(lease: Lease) -> bool:
    """Whether a claimed delivery may be sent now; if not, it is released: superseded, or held until its turn.

    Decisions about one key wait for each other, so exactly one delivery has the turn.
    """
    delivery = lease.delivery
    with connection.cursor() as cursor:
        cursor.execute(_TAKE_AT_ONCE, {"lock": _lock_of(delivery), "id": delivery.id, "token": lease.token})
        if cursor.rowcount or _take_among_others(lease):
            return True
    _look_again(delivery)
    return False


@transaction.atomic
def _take_among_others(lease: Lease) -> bool:
    delivery, siblings = lease.delivery, _siblings(lease.delivery)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_lock_of(delivery)])
    if newer_standing_for(delivery).exists():
        release(lease.row, State.CANCELLED, Reason.SUPERSEDED)
        end_turn([delivery])
        return False
    older = siblings.filter(event_id__lt=delivery.event_id, state__in=list(WAITING))
    change(older.filter(sets__contained_by=delivery.sets), State.CANCELLED, Reason.SUPERSEDED)
    if _goes_before(delivery).exists():
        release(lease.row, State.HELD, Reason.WAITS_ITS_TURN, next_attempt_at=due_in(LONGEST_TURN))
        return False
    return bool(lease.row.update(has_turn=True))


def _look_again(delivery: Delivery) -> None:
    """A delivery that ended after we looked and before ours was held did not see ours waiting."""
    if not _goes_before(delivery).exists():
        end_turn([delivery])


def _goes_before(delivery: Delivery) -> QuerySet[Delivery]:
    """The deliveries that must end first: the one that has the turn, and all older ones."""
    has_turn = Q(state=State.IN_FLIGHT, has_turn=True)
    is_older = Q(event_id__lt=delivery.event_id, state__in=[*WAITING, State.IN_FLIGHT])
    return _siblings(delivery).filter(has_turn | is_older).exclude(id=delivery.id)


def newer_arrived(delivery: Delivery) -> QuerySet[Delivery]:
    """Deliveries of newer events that have succeeded and set a field that this one sets."""
    if not delivery.order_key:
        return Delivery.objects.none()
    arrived = _siblings(delivery).filter(event_id__gt=delivery.event_id, state=State.SUCCEEDED)
    return arrived.filter(sets__overlap=delivery.sets)


def newer_standing_for(delivery: Delivery) -> QuerySet[Delivery]:
    """Deliveries of newer events that set every field that this one sets, and have succeeded or still may."""
    if not delivery.order_key:
        return Delivery.objects.none()
    newer = _siblings(delivery).filter(event_id__gt=delivery.event_id, state__in=_LIVING)
    return newer.filter(sets__contains=delivery.sets)


def _siblings(delivery: Delivery) -> QuerySet[Delivery]:
    return Delivery.objects.filter(system_id=delivery.system_id, order_key=delivery.order_key)


def end_turn(deliveries: Iterable[Delivery]) -> None:
    """Make due what waited for these deliveries, and wake a worker for the first; called in or after their commit."""
    for delivery in deliveries:
        if delivery.order_key and waiting_for(delivery).update(next_attempt_at=Now()):
            first = waiting_for(delivery).order_by("event_id").first()
            if first:
                hints.delivery_due(first.id, first.priority, first.system_id)


def waiting_for(delivery: Delivery) -> QuerySet[Delivery]:
    """The deliveries that are held until this one's turn is over."""
    return _siblings(delivery).filter(state=State.HELD, state_reason=Reason.WAITS_ITS_TURN)


def _lock_of(delivery: Delivery) -> int:
    name = f"{delivery.system_id}:{delivery.order_key}".encode()
    return int.from_bytes(hashlib.blake2b(name, digest_size=8).digest(), signed=True)
