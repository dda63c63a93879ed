"""Follows events that go to people: who is told of each, by which deliveries, and why."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from django.utils import timezone

from integrations.models import Delivery, Route
from integrations.registry.senders import SYSTEM_CHANNEL
from integrations.registry.targets import PlannedDelivery, RequestedDelivery
from integrations.states import Reason, State
from notifications import fallback, follow_up
from notifications.digests import windows
from notifications.incidents import escalation, held_emergencies, opening, unplaced
from notifications.models import Notification, Sending, TraceEntry
from notifications.plans import extra_deliveries, in_force
from notifications.recipients import resolving
from notifications.rules import plan_steps, policy
from notifications.trace import recording
from notifications.trace.recording import What
from wedsync.live.event_types.catalogue import type_of
from wedsync.live.models import ChannelEvent
from wedsync.queues import Priority


def routed(route: Route, event: ChannelEvent, priority: Priority) -> Iterable[PlannedDelivery]:
    """The route's deliveries to people; an incident's further reports go only to those who already know of it."""
    telling = opening.telling(event)
    for planned in resolving.expand(route, event, priority):
        if telling.only is None or (planned.channel, planned.target) in telling.only:
            yield planned


class PeopleFollower:
    """See :class:`integrations.registry.targets.Follower`."""

    def before_routing(self, event: ChannelEvent) -> None:
        """An emergency opens an incident or joins one; staff are no longer asked about one that was held."""
        held_emergencies.goes_on(event)
        opening.take_report(event)

    def without_wedding(self, event_id: UUID) -> None:
        """Staff are told of an emergency that found no wedding."""
        unplaced.take_unlinked(event_id)

    def before_storing(self, event: ChannelEvent, rows: Sequence[Delivery]) -> None:
        """Hold what is to be collected; after quiet hours, what they held is sent one by one, in order."""
        windows.hold(event, rows)
        for row in rows:
            if row.state == State.HELD and row.state_reason == Reason.QUIET_HOURS:
                row.order_key, row.sets = policy.quiet_order(row)

    def after_routing(
        self, event: ChannelEvent, requested: Mapping[str, RequestedDelivery], made: Mapping[str, Delivery]
    ) -> None:
        """Store who is to be told, and why each message is sent or not."""
        windows.enter(event, made)
        unplaced.tell_of_assumption(event, made.values())
        people = {key: each for key, each in requested.items() if each.planned.recipient}
        if not people:
            if event.type == opening.REPORTED:
                escalation.hurry(event.id)
            return
        notifications = _notifications(event, people, made)
        known = set(
            Sending.objects.filter(delivery__in=[made[key].id for key in people]).values_list("delivery_id", flat=True)
        )
        fresh = {key: each for key, each in people.items() if made[key].id not in known}
        carrying = {key: notifications[each.planned.recipient] for key, each in fresh.items()}
        Sending.objects.bulk_create(
            [Sending(delivery=made[key], notification=each) for key, each in carrying.items()], ignore_conflicts=True
        )
        recording.store(entry for key, each in fresh.items() for entry in _entries(carrying[key], each, made[key]))
        stuck = {each.id for key, each in carrying.items() if made[key].state == State.SKIPPED}
        for notification_id in sorted(stuck):
            fallback.judge(notification_id)

    def troubled(self, delivery: Delivery) -> None:
        """Continue on another channel."""
        if delivery.channel == SYSTEM_CHANNEL:
            return
        row = Delivery.objects.filter(id=delivery.id).first()
        if row is None:
            return
        if row.state in {State.DEAD, State.SKIPPED}:
            last = row.attempts.order_by("-number").first()
            because = f": {last.error}" if last and last.error else ""
            recording.note(row, What.FAILED, f"{row.state}, {row.get_state_reason_display() or 'no reason'}{because}")
        follow_up.after_delivery(row)

    def resent(self, made: Mapping[UUID, Delivery]) -> None:
        """A resent delivery carries the same notification as its original."""
        for old in Sending.objects.filter(delivery_id__in=list(made)):
            Sending.objects.get_or_create(
                delivery=made[old.delivery_id], defaults={"notification_id": old.notification_id, "step": old.step}
            )

    def refused(self, system_id: UUID) -> None:
        """Urgent notifications continue on another channel."""
        follow_up.after_refusal(system_id)


def _notifications(
    event: ChannelEvent, people: Mapping[str, RequestedDelivery], made: Mapping[str, Delivery]
) -> dict[str, Notification]:
    """One notification for each recipient, by its key; existing ones stay as they are."""
    steps = plan_steps.unfolded(in_force.plan_of(event.organization_id, type_of(event.type).category))
    now = timezone.now()
    rows: dict[str, Notification] = {}
    for key, each in people.items():
        planned, priority = each.planned, Priority(made[key].priority)
        rows.setdefault(
            planned.recipient,
            Notification(
                organization_id=event.organization_id,
                event=event,
                recipient=planned.recipient,
                contact_id=extra_deliveries.contact_of(planned.recipient),
                team=planned.system if planned.recipient.startswith("team:") else None,
                name=planned.name[:200],
                priority=priority,
                steps=[step.as_json() for step in steps],
                step_since=now,
                look_at=fallback.first_look(priority, steps, now),
            ),
        )
    Notification.objects.bulk_create(rows.values(), ignore_conflicts=True)
    return {row.recipient: row for row in Notification.objects.filter(event=event, recipient__in=list(rows))}


def _entries(notification: Notification, requested: RequestedDelivery, delivery: Delivery) -> list[TraceEntry]:
    names = ", ".join(sorted(f"“{matched.route.name}”" for matched in requested.matches))
    text = (
        f"{delivery.get_priority_display()} priority, by {'routes' if len(requested.matches) > 1 else 'route'} {names}"
    )
    entries = [recording.of_notification(notification, What.ROUTED, text, delivery=delivery)]
    entries += recording.of_passed_over(notification, requested.planned)
    reason = delivery.get_state_reason_display() or ""
    if delivery.state == State.SKIPPED:
        entries.append(recording.of_notification(notification, What.NOT_SENT, reason, delivery=delivery))
    elif delivery.state == State.HELD:
        what = What.GATHERED if delivery.state_reason == Reason.GATHERED else What.HELD
        end = delivery.due_since if delivery.state_reason == Reason.GATHERED else delivery.next_attempt_at
        until = f"{reason} until {end:%Y-%m-%d %H:%M:%S} UTC"
        entries.append(recording.of_notification(notification, what, until, delivery=delivery))
    return entries
