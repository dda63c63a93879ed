"""Checks in advance: would an emergency reach staff, and whom could we reach at today's weddings?

Each is made once, however many sweeps run: its row is written under a unique constraint, in the transaction that tells
staff.
"""

from collections.abc import Iterable
from datetime import datetime, time, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from integrations.health import alerts
from integrations.health.alerts import ops_event
from integrations.models import Alert, Delivery, System
from integrations.models.health import Cause
from integrations.states import State
from integrations.sweep_pace import Pace
from notifications.incidents import opening
from notifications.models import ReachCheck
from notifications.plans import extra_deliveries
from notifications.recipients import resolving, staff
from notifications.recipients.resolving import Person
from notifications.rules import policy
from wedsync.live.log.writer import NewEvent
from wedsync.live.models import ChannelEvent
from wedsync.live.publishing import publish
from wedsync.queues import Priority
from wedsync.weddings.models import ContactChannel, Organization, Wedding

SELF_TEST, REACH_CHECKED = "ops.self_test", "ops.reach_checked"
MORNING = time(7)
ARRIVES_WITHIN = timedelta(minutes=2)
EVERY = 10.0  # seconds between two rounds of one process
BATCH = 50
MOST_GAPS = 20
EXPECTED = (ContactChannel.WHATSAPP, ContactChannel.EMAIL)  # every organization is to have a system for these
_DAY = timedelta(days=1)
_rounds = Pace(EVERY)


def check_due() -> int:
    """Make the checks that are due, at most every ten seconds in each process; returns how many."""
    if not _rounds.is_due():
        return 0
    now = timezone.now()
    return self_test(now) + check_weddings(now) + judge(now)


def self_test(now: datetime) -> int:
    """Send the daily self-test to every organization's staff, from its hour on; returns the number of organizations."""
    if settings.SELF_TEST_HOUR < 0 or now.hour < settings.SELF_TEST_HOUR:
        return 0
    tested = ReachCheck.objects.filter(wedding=None, day=now.date()).values("organization_id")
    sending = System.objects.filter(kind__in=[System.Kind.SLACK, System.Kind.EMAIL]).values("organization_id")
    rows = Organization.objects.filter(id__in=sending).exclude(id__in=tested).order_by("id")
    return sum(_self_test(each, now) for each in list(rows.values_list("id", flat=True)[:BATCH]))


@transaction.atomic
def _self_test(organization_id: UUID, now: datetime) -> bool:
    check = _begun(ReachCheck(organization_id=organization_id, day=now.date()))
    if check is None:
        return False
    _tell(check, ops_event(organization_id, SELF_TEST, {"day": now.date().isoformat()}, now), Priority.URGENT)
    return True


def check_weddings(now: datetime) -> int:
    """Check whom we could reach at each wedding of today, from 07:00 at its venue on; returns how many were checked."""
    near = Wedding.objects.filter(date__range=(now.date() - _DAY, now.date() + _DAY)).order_by("id")
    checked = set(ReachCheck.objects.filter(wedding__in=near).values_list("wedding_id", "day"))
    due = [wedding for wedding in near if _is_morning_over(wedding, now) and (wedding.id, wedding.date) not in checked]
    return sum(_check_wedding(wedding, now) for wedding in due[:BATCH])


def _is_morning_over(wedding: Wedding, now: datetime) -> bool:
    local = now.astimezone(wedding.zone)
    return local.date() == wedding.date and local.time() >= MORNING


@transaction.atomic
def _check_wedding(wedding: Wedding, now: datetime) -> bool:
    check = _begun(ReachCheck(organization_id=wedding.organization_id, wedding=wedding, day=wedding.date))
    if check is None:
        return False
    reached, gaps = whom_we_reach(wedding)
    told = {"wedding": str(wedding)[:200], "reached": reached[:MOST_GAPS], "gaps": gaps[:MOST_GAPS]}
    new = ops_event(wedding.organization_id, REACH_CHECKED, told, now)
    if gaps:
        _tell(check, new, Priority.HIGH)
    else:
        publish([new])
    return True


def whom_we_reach(wedding: Wedding) -> tuple[list[str], list[str]]:
    """Whom an emergency at a wedding would reach now, and how; and the gaps, as sentences for staff."""
    trial = ChannelEvent(
        organization_id=wedding.organization_id, wedding=wedding, type=opening.REPORTED, priority=Priority.URGENT
    )
    senders = resolving.sending_systems(wedding.organization_id)
    everybody = resolving.of_wedding(wedding.organization_id, wedding.id, trial)
    by_person = {person.key: _ways(person, senders) for person in everybody}
    reached = [f"{each.contact.name}: {', '.join(by_person[each.key])}" for each in everybody if by_person[each.key]]
    gaps = [_gap(person, senders) for person in everybody if not by_person[person.key]]
    called = resolving.in_call_order(wedding.organization_id, wedding.id, trial)
    if not called:
        gaps.insert(0, "Nobody is in the call order and there is no coordinator, so only staff would be called.")
    elif not any(by_person[person.key] for person in called):
        gaps.insert(0, "None of the people who are called first can be reached.")
    return reached, [*_of_systems(wedding.organization_id), *gaps]


def _ways(person: Person, senders: resolving.Senders) -> list[str]:
    return [
        f"{point.channel.label} {point.address}"
        for point in person.points
        if point.channel in senders and not point.against and point.channel not in policy.UNPROVEN
    ]


def _gap(person: Person, senders: resolving.Senders) -> str:
    tried = [point for point in person.points if point.channel in senders and point.against]
    against = [f"{point.channel.label}: {point.against.label}" for point in tried]
    why = "; ".join(dict.fromkeys(against)) or "no channel is set up"
    return f"{person.contact.name} ({person.contact.role}) cannot be reached. {why}."


def _of_systems(organization_id: UUID) -> Iterable[str]:
    """What is missing or stopped on the organization's side."""
    senders = resolving.sending_systems(organization_id)
    for channel in policy.PERSONAL:
        system = senders.get(channel)
        if system is None and channel in EXPECTED:
            yield f"There is no system for {channel.label}."
        elif system is not None and system.state != System.Status.ACTIVE:
            yield f"“{system.name}” is {system.state}: nothing is sent by {channel.label}."
    if not any(not planned.skipped for planned in staff.everyone(organization_id)):
        yield "No channel reaches your own staff."


def judge(now: datetime) -> int:
    """Judge the self-tests that had time to arrive: raise an alert or end an earlier one; returns how many."""
    rows = ReachCheck.objects.filter(wedding=None, judged_at=None, created_at__lt=now - ARRIVES_WITHIN)
    return sum(_judge(each, now) for each in list(rows.order_by("created_at")[:BATCH]))


@transaction.atomic
def _judge(check: ReachCheck, now: datetime) -> bool:
    if not ReachCheck.objects.filter(id=check.id, judged_at=None).update(judged_at=now):
        return False
    made = list(Delivery.objects.filter(event_id=check.event_id).select_related("system").order_by("id"))
    failed = [f"{each.recipient} ({each.channel})" for each in made if each.state != State.SUCCEEDED]
    if made and not failed:
        alerts.resolve_all(Alert.objects.filter(organization_id=check.organization_id, cause=Cause.SELF_TEST))
        return True
    what = ", ".join(dict.fromkeys(failed))[:300] or "anybody: no channel leads to your staff"
    text = f"The daily self-test of emergencies did not reach {what}. Neither would an emergency."
    alerts.raise_alert(check.organization_id, Cause.SELF_TEST, text)
    return True


def _begun(check: ReachCheck) -> ReachCheck | None:
    """The check, if no other process has made it."""
    ReachCheck.objects.bulk_create([check], ignore_conflicts=True)
    return ReachCheck.objects.filter(id=check.id).first()


def _tell(check: ReachCheck, new: NewEvent, priority: Priority) -> None:
    (event,) = publish([new])
    ReachCheck.objects.filter(id=check.id).update(event=event)
    ways = staff.everyone(check.organization_id, check.wedding)
    extra_deliveries.create(event, ways, plan_step=0, why="a check", priority=priority)
