"""Emergencies without a wedding of ours, and those that cannot be routed as usual: staff are told immediately.

Each opens, or joins, an incident without a wedding, one per connection. Its event is a question to staff: which wedding
is it about? The answers are in :mod:`notifications.incidents.placement`; until somebody acknowledges it,
:mod:`notifications.incidents.staff_calls` repeats the question.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

from integrations.models import Connection, Delivery
from integrations.references import linking
from integrations.states import State
from notifications import sweep_rounds
from notifications.incidents import held_emergencies, opening, staff_calls, todays_weddings
from notifications.incidents.emergency_reports import LONGEST_TEXT, Report, Trouble, as_told
from notifications.incidents.held_emergencies import Asking
from notifications.incidents.todays_weddings import Guess
from notifications.models import Incident, IncidentReport
from notifications.plans import extra_deliveries
from notifications.recipients import staff
from notifications.trace import recording
from notifications.trace.recording import What
from wedsync import correlation
from wedsync.ids import first_id_since, new_id
from wedsync.live.channels import ops_channel
from wedsync.live.event_types.own_payloads import WeddingUnknown
from wedsync.live.fan_out import hints
from wedsync.live.log.writer import append
from wedsync.live.models import ChannelEvent
from wedsync.queues import Priority
from wedsync.weddings.models import Wedding

LEFT_BEHIND = timedelta(days=1)
BETWEEN_ALERTS = timedelta(minutes=10)  # between two alerts about refused emergencies of one connection


@dataclass(frozen=True)
class _Case:
    """What opens or joins an incident. ``event``: the report; ``None``: only the question is stored."""

    organization_id: UUID
    connection: Connection | None
    said: dict[str, Any]
    pause: timedelta
    event: ChannelEvent | None = None
    guess: Guess = field(default_factory=lambda: Guess(""))
    key: str | None = None

    @property
    def words(self) -> str:
        """A hash that tells one report from another: by what it says, and about which booking."""
        parts = (self.said[name] for name in ("kind", "description"))
        text = "\n".join([*parts, self.said.get("booking_id") or ""])
        return hashlib.sha256(" ".join(text.casefold().split()).encode()).hexdigest()


@transaction.atomic
def take_unlinked(event_id: UUID) -> bool:
    """Tell staff, once, of an emergency that found no wedding, or link it to the only one that it can be about.

    Returns whether there was anything to do.
    """
    rows = ChannelEvent.objects.select_for_update(of=("self",), no_key=True)
    event = rows.filter(id=event_id, type=opening.REPORTED, routing=ChannelEvent.Routing.UNLINKED).first()
    if event is None or IncidentReport.objects.filter(event=event).exists():
        return False
    with correlation.of(event.correlation_id, event_id=str(event.id)):
        _take_unlinked(event)
    return True


def _take_unlinked(event: ChannelEvent) -> None:
    now = timezone.now()
    guess = todays_weddings.guess(event, now)
    if guess.wedding and guess.at_once:
        linking.link_now([event.id], guess.wedding, wedding_assumed=True)
        text = f"It names no wedding. {guess.wedding} is its system's only wedding today, so it is assumed."
        recording.note_event(event, What.JOINED, text)
        return
    connection = Connection.objects.select_related("system").filter(id=event.source_connection_id).first()
    said = {"trouble": guess.trouble, **as_told(event.payload, connection)}
    pause = timedelta(seconds=settings.INCIDENT_PAUSE_SECONDS)
    _take(_Case(event.organization_id, connection, said, pause, event, guess), now)


@transaction.atomic
def tell_staff(report: Report) -> bool:
    """Tell staff of an emergency that was refused or is held, once for each connection and id; whether it was new.

    Staff are told immediately, except that refused emergencies of one connection are told ten minutes apart. Safe to
    call again, and from several processes.
    """
    digest = hashlib.sha256(report.external_id.encode()).hexdigest()
    key = f"{report.connection_id[:40]}:{digest}"
    connection = Connection.objects.select_related("system").filter(
        id=report.connection_id, organization_id=report.organization_id
    )
    found = connection.first()
    said = as_told(
        {
            "kind": report.kind,
            "description": report.description,
            "reported_by": report.reported_by,
            "contact_phone": report.contact_phone,
            "venue_name": report.location,
            "booking_id": report.booking_id,
        },
        found,
    )
    said |= {"trouble": report.trouble.value, "reason": report.reason[:LONGEST_TEXT]}
    named = {"wedding_id": report.wedding_id, "event_id": report.event_id}
    said["report"] = {name: str(value) for name, value in named.items() if value}
    wedding = None
    if report.wedding_id:
        wedding = Wedding.objects.filter(id=report.wedding_id, organization_id=report.organization_id).first()
    refused = report.trouble is Trouble.REFUSED
    pause = BETWEEN_ALERTS if refused else timedelta(seconds=settings.INCIDENT_PAUSE_SECONDS)
    case = _Case(report.organization_id, found, said, pause, guess=Guess(report.trouble.value, wedding), key=key)
    if IncidentReport.objects.filter(key=key).exists():
        return False
    return _take(case, timezone.now())


def tell_of_assumption(event: ChannelEvent, made: Iterable[Delivery]) -> None:
    """Tell staff of an emergency whose wedding is assumed, except those whom its routes already tell."""
    if event.type != opening.REPORTED or not event.payload.get("wedding_assumed"):
        return
    if not IncidentReport.objects.filter(event=event, told_at__isnull=False).exists():
        return  # it says nothing that its incident has not already told
    known = {(each.channel, each.target) for each in made if each.state != State.SKIPPED}
    ways = [
        way for way in staff.everyone(event.organization_id, event.wedding) if (way.channel, way.target) not in known
    ]
    extra_deliveries.create(
        event, ways, plan_step=opening.FIRST_STAFF_CALL - 1, why="its wedding is assumed", priority=Priority.URGENT
    )


def find_left_behind() -> int:
    """Process the unlinked emergencies whose hint was lost or whose worker died; returns how many."""
    unlinked = ChannelEvent.objects.filter(
        routing=ChannelEvent.Routing.UNLINKED,
        priority=Priority.URGENT,
        type=opening.REPORTED,
        id__gte=first_id_since(timezone.now() - LEFT_BEHIND),
        report=None,
    )
    return sweep_rounds.work_off(
        unlinked.order_by("id"), take_unlinked, broken="emergency_not_taken", requests="correlation_id"
    )


def _take(case: _Case, now: datetime) -> bool:
    living = Incident.objects.select_for_update(of=("self",), no_key=True).filter(
        opening.LIVING, organization_id=case.organization_id, wedding=None, drill=False, connection=case.connection
    )
    while True:  # the open one that conflicted may have been resolved since
        if case.key and IncidentReport.objects.filter(key=case.key).exists():
            return False
        if found := living.select_related("event").order_by("id").first():
            if held_emergencies.asking(found) is Asking.NO:
                held_emergencies.end(found)
                continue
            _join(found, case, now)
            return True
        if _open(case, now):
            return True


def _open(case: _Case, now: datetime) -> bool:
    """Open an incident; false where another process was first."""
    incident_id = new_id()
    question = _question(case, incident_id)
    question.save(force_insert=True)
    incident = Incident(
        id=incident_id,
        organization_id=case.organization_id,
        wedding=None,
        connection=case.connection,
        event=question,
        kind=case.said["kind"],
        description=case.said["description"],
        opened_by=case.said["reported_by"],
        told_at=now,
        **_suggested(case, now),
    )
    Incident.objects.bulk_create([incident], ignore_conflicts=True)
    if not Incident.objects.filter(id=incident_id).exists():
        question.delete()
        return False
    report = case.event or question
    IncidentReport.objects.create(incident=incident, event=report, words=case.words, key=case.key)
    recording.note_event(report, What.JOINED, f"It opened incident {incident_id}, which has no wedding yet.")
    _show(question)
    earliest = _earliest(case)
    if earliest and earliest > now:
        Incident.objects.filter(id=incident_id).update(staff_due_at=earliest)
    else:
        staff_calls.call_now(incident)
    return True


def _earliest(case: _Case) -> datetime | None:
    """When staff may next be told of this connection's refused emergencies; ``None``: immediately.

    Well-formed emergencies, which are only held or without a wedding, neither wait nor make others wait.
    """
    if case.guess.trouble != Trouble.REFUSED or case.connection is None:
        return None
    told = IncidentReport.objects.filter(
        incident__connection=case.connection, incident__wedding=None, key__isnull=False, told_at__isnull=False
    )
    told_at = told.aggregate(last=models.Max("told_at"))["last"]
    return told_at + case.pause if told_at else None


def _join(incident: Incident, case: _Case, now: datetime) -> None:
    """Add a report to an incident whose row is locked; one that says something new is told with the next call.

    An acknowledged incident is reopened, since the person who acknowledged it did not know of this report.
    """
    known = incident.reports.filter(words=case.words).exists()
    report = case.event
    if report is None:
        report = _question(case, incident.id)
        report.routing, report.routed_at = ChannelEvent.Routing.ROUTED, now
        report.save(force_insert=True)
        _show(report)
    told_at = now if known else None
    IncidentReport.objects.create(incident=incident, event=report, words=case.words, key=case.key, told_at=told_at)
    recording.note_event(report, What.JOINED, f"It joined incident {incident.id}, which has no wedding yet.")
    if incident.assumed_at is None and case.guess.in_time:
        for name, value in _suggested(case, now).items():
            setattr(incident, name, value)
    if not known:
        nobody_was_called = incident.staff_calls == 0
        due = (_earliest(case) or now) if nobody_was_called else max(now, incident.told_at + case.pause)
        if incident.state == Incident.State.ACKNOWLEDGED:
            incident.state, incident.staff_due_at = Incident.State.OPEN, due
            incident.acknowledged_at, incident.acknowledged_by, incident.acknowledged_via = None, "", ""
        elif incident.staff_due_at is None or due < incident.staff_due_at:
            incident.staff_due_at = due
    incident.save()
    if not known and nobody_was_called and due <= now:
        staff_calls.call_now(incident)


def _suggested(case: _Case, now: datetime) -> dict[str, Any]:
    pause = timedelta(seconds=settings.ASSUME_WEDDING_SECONDS)
    return {
        "suggested_wedding": case.guess.wedding,
        "assumed_at": now + pause if case.guess.wedding and case.guess.in_time else None,
    }


def _question(case: _Case, incident_id: UUID) -> ChannelEvent:
    payload = WeddingUnknown(incident_id=incident_id, **case.said).model_dump(mode="json")
    return ChannelEvent(
        id=new_id(),
        organization_id=case.organization_id,
        type=opening.WEDDING_UNKNOWN,
        payload={name: value for name, value in payload.items() if value is not None},
        occurred_at=timezone.now(),
        source=ChannelEvent.Source.WEDSYNC,
        priority=Priority.URGENT,
        correlation_id=case.event.correlation_id if case.event else correlation.current_or_new(),
        effect=ChannelEvent.Effect.NONE,
    )


def _show(question: ChannelEvent) -> None:
    name = ops_channel(question.organization_id)
    append([], also=[(question, name)])
    hints.event_stored(question, [name])
