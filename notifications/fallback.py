"""How far a notification's plan has come, and its next step: judged from the rows, as often as anything asks.

The steps here lead from channel to channel of one recipient; an incident's lead from person to person
(:mod:`notifications.incidents.escalation`). The first caller locks the row, so no step is taken twice.
"""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import Enum
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from integrations.health import alerts
from integrations.models import Delivery
from integrations.models.health import Cause
from integrations.registry.targets import PlannedDelivery
from integrations.states import WAITING, Reason, State
from notifications.incidents import escalation
from notifications.models import Incident, Message, Notification, Sending
from notifications.plans import extra_deliveries
from notifications.recipients import resolving
from notifications.rules import plan_steps, policy
from notifications.rules.plan_steps import Audience, Step, Until
from notifications.trace import recording
from notifications.trace.recording import What
from notifications.wording import own
from notifications.wording.languages import DEFAULT_LANGUAGE
from wedsync.live.event_types.catalogue import type_of
from wedsync.queues import Priority
from wedsync.weddings.addresses import Evidence
from wedsync.weddings.models import ContactChannel

URGENT_LOOK = timedelta(seconds=1)
SILENT = frozenset(channel for channel in ContactChannel if channel.evidence != Evidence.STATUSES)
_ANY_WAY = Step((plan_steps.OTHER,))
_WAITS_FOR_CHANNEL = frozenset(
    {
        Reason.BREAKER_OPEN,
        Reason.RATE_LIMITED,
        Reason.PAIR_LIMITED,
        Reason.AWAITS_STATUS,
        Reason.SYSTEM_PAUSED,
        Reason.THROTTLED,
    }
)


class StepState(Enum):
    """The state of a step, or of one of its deliveries."""

    REACHED = "reached"
    LEFT = "left"  # nothing waits for it: it is in a digest or was called off
    FAILED = "failed"
    STUCK = "stuck"  # urgent, and waiting for its channel
    UNDER_WAY = "under way"


@transaction.atomic
def judge(notification_id: UUID) -> None:
    """Judge a notification and take its plan's next step if it is due. Safe to call concurrently."""
    rows = Notification.objects.select_for_update(of=("self",), no_key=True).filter(state=Notification.State.OPEN)
    notification = rows.select_related("event__wedding", "contact", "team").filter(id=notification_id).first()
    if notification is None:
        return
    steps = personal_steps(notification)
    while _goes_on(notification, steps):
        pass
    notification.save(update_fields=["step", "step_since", "look_at", "state"])
    if notification.state == Notification.State.FAILED:
        _failed(notification)


def personal_steps(notification: Notification) -> list[Step]:
    """The plan's steps from channel to channel; an urgent event tries every channel before it gives up."""
    category = type_of(notification.event.type).category
    whole = (
        plan_steps.kept(notification.steps) if notification.steps else plan_steps.unfolded(plan_steps.shipped(category))
    )
    own: list[Step] = []
    for step in whole:
        if step.audience != Audience.EVERYONE:
            break
        own.append(step)
    return own + [_ANY_WAY] * len(ContactChannel) if notification.priority == Priority.URGENT else own


def _goes_on(notification: Notification, steps: Sequence[Step]) -> bool:
    """Whether a further step was taken; that step may be stuck as well."""
    step = steps[min(notification.step, len(steps) - 1)]
    following = steps[notification.step + 1] if notification.step + 1 < len(steps) else None
    sendings = _sendings(notification)
    state = StepState.REACHED if notification.seen_at else _state_of(notification, step, _newest(sendings))
    now = timezone.now()
    if state in {StepState.REACHED, StepState.LEFT}:
        _end(notification, Notification.State.REACHED if state == StepState.REACHED else Notification.State.LEFT)
        return False
    due = notification.step_since + timedelta(seconds=following.after) if following and following.after else None
    if following and (state in {StepState.FAILED, StepState.STUCK} or (due and due <= now)):
        notification.step, notification.step_since = notification.step + 1, now
        _begin(notification, following, state)
        return True
    if state == StepState.FAILED and not _still_alive(notification, sendings):
        taken = _is_taken_somewhere(notification, sendings)
        _end(notification, Notification.State.REACHED if taken else Notification.State.FAILED)
        return False
    pause = max(URGENT_LOOK, (now - notification.step_since) / 4) if notification.priority == Priority.URGENT else None
    notification.look_at = min(filter(None, (due, now + pause if pause else None)), default=None)
    return False


def _end(notification: Notification, state: Notification.State) -> None:
    notification.state, notification.look_at = state, None


def _sendings(notification: Notification) -> list[Sending]:
    """All its sendings, read once: a delivery that ends between two reads would count in neither."""
    rows = Sending.objects.filter(notification=notification).select_related("delivery__message")
    return list(rows.order_by("delivery__generation"))


def _state_of(notification: Notification, step: Step, sendings: Iterable[Sending]) -> StepState:
    """The current step's state; an earlier step that has succeeded since counts too."""
    deciding = _deciding(notification, sendings)
    now_asked = [_of_one(each.delivery, step, notification) for each in deciding if each.step == notification.step]
    earlier = [_of_one(each.delivery, step, notification) for each in deciding if each.step < notification.step]
    found = set(now_asked)
    if StepState.REACHED in found or StepState.REACHED in earlier:
        return StepState.REACHED
    for state in (StepState.UNDER_WAY, StepState.STUCK, StepState.LEFT):
        if state in found:
            return state
    return StepState.FAILED


def _deciding(notification: Notification, sendings: Iterable[Sending]) -> list[Sending]:
    """The sendings by which a plan is judged: those on channels that show whether a message has arrived.

    Where there are no others, an ordinary message is judged by the rest; an urgent one has then reached nobody.
    """
    every = list(sendings)
    proven = [each for each in every if each.delivery.channel not in policy.UNPROVEN]
    return proven if proven or notification.priority == Priority.URGENT else every


def _still_alive(notification: Notification, sendings: Iterable[Sending]) -> bool:
    """Whether a delivery of an earlier step may still arrive although the plan has no further step."""
    alive = {*WAITING, State.IN_FLIGHT}
    urgent = notification.priority == Priority.URGENT
    counting = [each for each in sendings if not urgent or each.delivery.channel not in policy.UNPROVEN]
    return any(each.delivery.state in alive for each in counting)


def _is_taken_somewhere(notification: Notification, sendings: Iterable[Sending]) -> bool:
    """Whether an ordinary message was accepted on a channel that never shows more, when all others have failed."""
    if notification.priority == Priority.URGENT:
        return False
    return any(each.delivery.state == State.SUCCEEDED and each.delivery.channel in policy.UNPROVEN for each in sendings)


def _newest(sendings: Iterable[Sending]) -> list[Sending]:
    """The last generation of each sending; they are in the order of their generations."""
    newest: dict[str, Sending] = {}
    for each in sendings:
        newest[each.delivery.dedupe_key.rpartition(":")[0]] = each
    return list(newest.values())


def _of_one(delivery: Delivery, step: Step, notification: Notification) -> StepState:
    if delivery.state in {State.DEAD, State.SKIPPED}:
        return StepState.FAILED
    if delivery.state == State.CANCELLED:
        return StepState.LEFT
    if delivery.state == State.SUCCEEDED:
        return _of_taken(delivery, step)
    urgent = notification.priority == Priority.URGENT
    waits = delivery.state == State.HELD and delivery.state_reason in _WAITS_FOR_CHANNEL
    unknown = delivery.may_duplicate or (delivery.state == State.SCHEDULED and delivery.attempt_count > 0)
    return StepState.STUCK if urgent and (waits or unknown) else StepState.UNDER_WAY


def _of_taken(delivery: Delivery, step: Step) -> StepState:
    """The state of an accepted message, by the status that its provider reports.

    A message to be acknowledged only has to be delivered here; the incident's own steps do the rest.
    """
    message: Message | None = getattr(delivery, "message", None)
    if message is None:
        return StepState.REACHED
    if message.came_back:
        return StepState.FAILED
    if step.until == Until.SENT or delivery.channel in SILENT:
        return StepState.REACHED
    wanted = Message.Status.READ if step.until == Until.READ else Message.Status.DELIVERED
    reached = message.status == wanted or message.status not in wanted.below
    return StepState.REACHED if reached else StepState.UNDER_WAY


def _begin(notification: Notification, step: Step, state: StepState) -> None:
    """Create the deliveries of a further step; none where no channel is left, and the plan goes on."""
    chosen = list(_planned(notification, step))
    because = "waits for its channel" if state == StepState.STUCK else state.value
    for each in chosen:
        text = f"step {notification.step}: the step before {because}; now by {ContactChannel(each.channel).label}"
        recording.store([recording.of_notification(notification, What.FELL_BACK, text, channel=each.channel)])
    if chosen:
        priority = Priority(notification.priority)
        extra_deliveries.create(
            notification.event, chosen, plan_step=notification.step, why="fallback", priority=priority
        )


def _planned(notification: Notification, step: Step) -> Iterable[PlannedDelivery]:
    senders = resolving.sending_systems(notification.organization_id)
    if notification.recipient.startswith("team:"):
        staff = Notification.objects.filter(event_id=notification.event_id, recipient__startswith="staff:")
        worded = own.worded(notification.event)(DEFAULT_LANGUAGE, ContactChannel.EMAIL)
        if worded and not staff.exists():
            yield from resolving.to_staff(notification.organization_id, senders)
        return
    used = set(Sending.objects.filter(notification=notification).values_list("delivery__channel", flat=True))
    person = _person(notification)
    if person is None:
        return
    open_points = [
        point for point in person.points if point.channel in senders and point.channel not in used and not point.against
    ]
    points = policy.preferred(person.contact, open_points, urgent=notification.priority == Priority.URGENT)
    named = [point for point in points if point.channel in step.channels]
    chosen = policy.by_one_channel(points) if {plan_steps.OTHER, plan_steps.PREFERRED} & set(step.channels) else named
    now, priority = timezone.now(), Priority(notification.priority)
    for point in chosen:
        yield resolving.planned_for(person, point, senders[point.channel], priority, now)


def _person(notification: Notification) -> resolving.Person | None:
    contact = notification.contact
    if contact is None:
        return None
    return resolving.person_of(contact, notification.event)


def _failed(notification: Notification) -> None:
    """Record that no channel reached the recipient. Where an urgent event reaches nobody at all, alert staff."""
    entry = recording.of_notification(notification, What.FAILED, "no channel is left: this recipient was not reached")
    recording.store([entry])
    if notification.priority != Priority.URGENT:
        return
    _wait_for_others(notification)
    others = Notification.objects.filter(event_id=notification.event_id).exclude(id=notification.id)
    if others.filter(state__in=[Notification.State.OPEN, Notification.State.REACHED]).exists():
        return
    event = notification.event
    escalation.hurry(event.id)
    text = f"Nobody could be reached about {event.type} ({event.wedding or 'no wedding'}). See its trace, and call."
    incident = Incident.objects.filter(event_id=event.id).values_list("id", flat=True).first()
    alerts.raise_alert(notification.organization_id, Cause.NOBODY_REACHED, text, about=str(incident or event.id))
    recording.note_event(event, What.ALERTED, text)


def _wait_for_others(notification: Notification) -> None:
    """Let those who fail at the same moment do so one after the other, so that the last one sees all the others."""
    name = hashlib.blake2b(f"failed:{notification.event_id}".encode(), digest_size=8).digest()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [int.from_bytes(name, signed=True)])


def first_look(priority: Priority, steps: Sequence[Step], now: datetime) -> datetime | None:
    """When a notification is first judged: an urgent one soon, others when a further step may be due.

    ``None``: only when one of its deliveries changes.
    """
    if priority == Priority.URGENT:
        return now + URGENT_LOOK
    after = steps[1].after if len(steps) > 1 and steps[1].audience == Audience.EVERYONE else None
    return now + timedelta(seconds=after) if after else None
