"""What staff do with deliveries: try one now, send one again, or cancel one."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from integrations.deliveries import ordering
from integrations.deliveries.rows import expiry
from integrations.deliveries.state_changes import change
from integrations.models import Delivery, DeliveryReason
from integrations.registry import followers
from integrations.states import WAITING, Reason, State
from wedsync.live.fan_out import hints
from wedsync.queues import Priority
from wedsync.weddings.models import Address

RESENDABLE = frozenset({State.SUCCEEDED, State.DEAD, State.CANCELLED})
BATCH = 500


class CannotResend(Exception):
    """A delivery that must not be sent again; the text says why, for staff."""


TRIABLE = frozenset({State.SCHEDULED})


def try_now(rows: QuerySet[Delivery]) -> int:
    """Make due those rows that wait for their next try; returns how many. Their schedule continues from there."""
    waiting = rows.filter(state__in=list(TRIABLE), expires_at__gt=Now())
    found = list(waiting.values_list("id", "priority", "system_id"))
    moved = Delivery.objects.filter(id__in=[each[0] for each in found], state__in=list(TRIABLE)).update(
        next_attempt_at=Now()
    )
    for delivery_id, priority, system_id in found:
        hints.delivery_due(delivery_id, priority, system_id)
    return moved


def resend(delivery: Delivery) -> Delivery:
    """Send a finished delivery again, freshly rendered, as its next generation. Calling this twice makes only one.

    Raises:
        CannotResend: it is not finished, its address must not be used, or a newer one supersedes it.
    """
    if delivery.state not in RESENDABLE:
        raise CannotResend(f"It is {State(delivery.state).label.lower()}: only a finished delivery can be sent again.")
    if delivery.id in _blocked([delivery]):
        raise CannotResend("Its address must not be used: no consent, an opt-out, a bounce or a complaint.")
    if ordering.newer_standing_for(delivery).exists() or ordering.newer_arrived(delivery).exists():
        raise CannotResend("A newer change to the same thing has gone to this system. Resend that one.")
    (made,) = _next_generation([delivery])
    return made


def send_anew(delivery: Delivery) -> Delivery:
    """The next generation of a delivery in any state, freshly rendered. Calling this twice makes only one."""
    (made,) = _next_generation([delivery])
    return made


def replace(delivery: Delivery, *, may_duplicate: bool) -> Delivery:
    """The next generation of a delivery that can no longer go out under its own key; it keeps the same expiry.

    Arguments:
        may_duplicate: whether an earlier try may have arrived.
    """
    (made,) = _next_generation([delivery], expires_at=delivery.expires_at, may_duplicate=may_duplicate)
    return made


def resend_all(rows: QuerySet[Delivery]) -> int:
    """Send again those rows that may be; returns how many.

    A change that a newer one has overtaken is left out, and of several only the newest arrives.
    """
    made = 0
    ids = list(rows.filter(state__in=list(RESENDABLE)).order_by("id").values_list("id", flat=True))
    for start in range(0, len(ids), BATCH):
        chosen = list(Delivery.objects.filter(id__in=ids[start : start + BATCH]).select_related("event__wedding"))
        blocked = _blocked(chosen)
        fit = [row for row in chosen if row.id not in blocked and not ordering.newer_arrived(row).exists()]
        made += len(_next_generation(fit))
    return made


def cancel(rows: QuerySet[Delivery]) -> int:
    """Cancel those rows that still wait; returns how many. A delivery in flight cannot be recalled."""
    ordered = list(rows.filter(state__in=list(WAITING)).exclude(order_key=""))
    cancelled = change(rows.filter(state__in=list(WAITING)), State.CANCELLED, Reason.BY_STAFF)
    ordering.end_turn(ordered)
    return cancelled


def _blocked(deliveries: Sequence[Delivery]) -> set[UUID]:
    """The deliveries whose address must not be used any more."""
    people = [delivery for delivery in deliveries if delivery.contact_id]
    rows = Address.objects.filter(
        organization_id__in={delivery.organization_id for delivery in people},
        value__in={delivery.target for delivery in people},
    )
    obstacles = {(row.organization_id, row.channel, row.value): row.blocked_because for row in rows}
    return {
        delivery.id
        for delivery in people
        if obstacles.get((delivery.organization_id, delivery.channel, delivery.target))
    }


@transaction.atomic
def _next_generation(deliveries: Sequence[Delivery], **fields: Any) -> list[Delivery]:
    """``fields``: columns that differ from those of the repeated row."""
    wanted = {_next_key(delivery): delivery for delivery in deliveries}
    Delivery.objects.bulk_create([_again(old, key, fields) for key, old in wanted.items()], ignore_conflicts=True)
    made = list(Delivery.objects.filter(dedupe_key__in=list(wanted)))
    repeated = {wanted[row.dedupe_key].id: row for row in made}
    _copy_reasons(repeated)
    for follower in followers.followers:
        follower.resent(repeated)
    for row in made:
        if row.state == State.PENDING:
            hints.delivery_due(row.id, row.priority, row.system_id)
    return made


def _next_key(delivery: Delivery) -> str:
    return f"{delivery.dedupe_key.rpartition(':')[0]}:{delivery.generation + 1}"


def _again(old: Delivery, key: str, fields: dict[str, Any]) -> Delivery:
    now = timezone.now()
    expires_at = fields.get("expires_at") or expiry(old.event, old.channel, Priority(old.priority), now)
    return Delivery(
        organization_id=old.organization_id,
        event_id=old.event_id,
        system_id=old.system_id,
        contact_id=old.contact_id,
        channel=old.channel,
        target=old.target,
        shaped_by_id=old.shaped_by_id,
        plan_step=old.plan_step,
        generation=old.generation + 1,
        dedupe_key=key,
        priority=old.priority,
        order_key=old.order_key,
        sets=old.sets,
        due_since=now,
        **{**fields, "expires_at": expires_at},
    )


def _copy_reasons(made: dict[UUID, Delivery]) -> None:
    reasons: Iterable[DeliveryReason] = DeliveryReason.objects.filter(delivery_id__in=list(made))
    DeliveryReason.objects.bulk_create(
        [
            DeliveryReason(delivery=made[reason.delivery_id], route_id=reason.route_id, route_name=reason.route_name)
            for reason in reasons
        ],
        ignore_conflicts=True,
    )
