"""Assigns an emergency to its wedding: staff answer on their page, or the time to answer runs out.

The first answer counts. It is a conditional write on the incident; a later or simultaneous answer changes nothing, and
its sender sees what was chosen. Everything that follows is in the same transaction: the reports go to the wedding,
where they open its incident, or join it, when they are routed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from integrations.models import Delivery
from integrations.references import linking
from integrations.wedding_events.effects import EventOrigin, wedding_event
from notifications import links, sweep_rounds
from notifications.incidents import acknowledging, held_emergencies, opening, staff_actions, todays_weddings
from notifications.incidents.emergency_reports import as_told, line_of
from notifications.incidents.held_emergencies import Asking
from notifications.models import Incident, IncidentReport
from notifications.trace import recording
from notifications.trace.recording import What
from wedsync.live.fan_out import hints
from wedsync.live.fan_out.hints import RouteHint
from wedsync.live.models import ChannelEvent
from wedsync.live.publishing import publish
from wedsync.weddings.models import Wedding

RETRY = timedelta(seconds=5)
NOBODY_ANSWERED = "nobody has answered"
MOST_FURTHER, MOST_OTHERS = 5, 200
EARLIER, LATER = timedelta(days=7), timedelta(days=400)
Routing = ChannelEvent.Routing


@dataclass(frozen=True)
class PlacementRequest:
    """What a link refers to: who received the message, and the incident that it asked them about."""

    name: str
    incident: Incident


@dataclass(frozen=True)
class Placement:
    """The incident as it is now. ``already``: it had been answered before, so nothing was changed."""

    incident: Incident
    already: bool


class NotOurs(ValueError):
    """The wedding that was chosen is not one of the organization's."""


def read(token: str) -> PlacementRequest:
    """What a link's token refers to.

    Raises:
        BadLink: not one of ours.
        TooLate: older than a day.
    """
    delivery_id = links.read_wedding_token(token)
    delivery = Delivery.objects.select_related("contact", "system", "event").filter(id=delivery_id).first()
    incident = opening.of_delivery(delivery) if delivery else None
    if delivery is None or incident is None or incident.event.type != opening.WEDDING_UNKNOWN:
        raise links.BadLink("This link does not lead to an emergency that we know.")
    if incident.opened_at + acknowledging.LIFE < timezone.now():
        raise acknowledging.TooLate("This link is more than a day old.")
    return PlacementRequest(acknowledging.AcknowledgeRequest(delivery, incident).name, incident)


def none_of_ours(incident: Incident, *, by: str) -> Placement:
    """End an emergency that is about no wedding of ours; everyone who was told of it gets the all-clear."""
    if not staff_actions.resolve(incident, by=by):
        incident.refresh_from_db()
        return Placement(incident, already=True)
    recording.note_event(incident.event, What.STOPPED, f"{by}: it is not about any of our weddings.")
    return Placement(incident, already=False)


@transaction.atomic
def choose(incident: Incident, wedding: Wedding, *, by: str) -> Placement:
    """Choose the wedding that an emergency is about; its reports go to that wedding's incident, once.

    Raises:
        NotOurs: the wedding is another organization's.
    """
    if wedding.organization_id != incident.organization_id:
        raise NotOurs("This wedding is not one of yours.")
    locked = _locked(incident.id)
    if locked is None:
        incident.refresh_from_db()
        return Placement(incident, already=True)
    if held_emergencies.asking(locked) is Asking.NO:
        held_emergencies.end(locked)
        return Placement(locked, already=True)
    _send_reports(_asked(locked), wedding, assumed=False)
    _end(locked, wedding, by)
    return Placement(locked, already=False)


def assume_due() -> int:
    """Alert the only possible wedding of each incident that nobody answered in time; returns how many."""
    due = Incident.objects.filter(opening.LIVING, wedding=None, assumed_at__lte=Now()).order_by("assumed_at")
    return sweep_rounds.work_off(
        due, assume, broken="wedding_not_assumed", requests="event__correlation_id", assumed_at=Now() + RETRY
    )


@transaction.atomic
def assume(incident_id: UUID) -> bool:
    """Alert the suggested wedding of one incident, if it is due and nobody has answered.

    Reports that name another wedding, or that were refused or held, are not guessed at: they stay with staff.
    """
    incident = _locked(incident_id, assumed_at__lte=Now(), suggested_wedding__isnull=False)
    if incident is None or incident.suggested_wedding is None:
        return False
    reports = _asked(incident)
    guessed = [each for each in reports if each.event.type == opening.REPORTED and not _names_wedding(each.event)]
    _send_reports(guessed, incident.suggested_wedding, assumed=True)
    if len(guessed) == len(reports):
        _end(incident, incident.suggested_wedding, NOBODY_ANSWERED)
    else:
        incident.assumed_at = None
        incident.save(update_fields=["assumed_at"])
    return True


def _asked(incident: Incident) -> list[IncidentReport]:
    return list(held_emergencies.still_asked(incident).select_related("event"))


def _names_wedding(event: ChannelEvent) -> bool:
    return bool(event.payload.get("wedding_id"))


def _locked(incident_id: UUID, **when: Any) -> Incident | None:
    rows = Incident.objects.select_for_update(of=("self",), no_key=True)
    living = rows.filter(opening.LIVING, id=incident_id, wedding=None, **when)
    return living.select_related("suggested_wedding", "event").first()


def _send_reports(reports: Sequence[IncidentReport], wedding: Wedding, *, assumed: bool) -> None:
    """Send the reports to a wedding: link the unlinked, release the held, and report the refused again."""
    said = {"wedding_assumed": True} if assumed else {}
    unlinked = [each.event_id for each in reports if each.event.routing == Routing.UNLINKED]
    linking.link_now(unlinked, wedding, **said)
    ours = [each.event for each in reports if each.event.type == opening.WEDDING_UNKNOWN]
    publish([_anew(event, wedding) for event in ours if not _let_go(event, wedding)])


def _let_go(question: ChannelEvent, wedding: Wedding) -> bool:
    """Release the event that a question is about; false where it is not a stored event of this wedding."""
    event_id = question.payload.get("report", {}).get("event_id")
    if not event_id:
        return False
    held = ChannelEvent.objects.filter(id=event_id, organization_id=question.organization_id, wedding=wedding)
    if held.filter(routing=Routing.HELD).update(routing=Routing.PENDING, hinted_at=Now()):
        hint = RouteHint(event_id, question.priority)
        transaction.on_commit(lambda: hints.committed([hint], []))
    return held.exists()


def _anew(question: ChannelEvent, wedding: Wedding) -> Any:
    """The refused emergency as an event of the wedding that staff have chosen."""
    names = ("kind", "description", "reported_by", "contact_phone", "venue_name")
    said = {name: question.payload[name] for name in names if question.payload.get(name)}
    origin = EventOrigin(ChannelEvent.Source.WEDSYNC, timezone.now(), question.correlation_id)
    return wedding_event(wedding, opening.REPORTED, said, origin)


def _end(incident: Incident, wedding: Wedding, by: str) -> None:
    incident.state, incident.chosen_wedding = Incident.State.RESOLVED, wedding
    incident.resolved_at, incident.resolved_by = timezone.now(), by[:200]
    incident.staff_due_at = incident.assumed_at = None
    incident.save()
    stopped = opening.call_off(incident)
    called_off = f" Waiting messages called off: {stopped}." if stopped else ""
    recording.note_event(incident.event, What.STOPPED, f"{by}: it is about {wedding}.{called_off}")


def told(incident: Incident, payload: dict[str, Any], now: datetime) -> dict[str, Any]:
    """A question's payload as readers see it now: with what was reported since, and what is suggested.

    If the held event that it asked about has since been routed, the oldest report that still asks takes its place.
    """
    rows = held_emergencies.still_asked(incident).select_related("event")
    asked = list(rows.order_by("-created_at")[: 10 * MOST_FURTHER])
    oldest = rows.order_by("created_at").first()
    if oldest and _has_gone_on(incident):
        payload = _instead(incident, oldest.event)
    said = {line_of(payload): None}
    further = {line_of(each.event.payload): None for each in asked} | said
    lines = [line for line in reversed(further) if line not in said][-MOST_FURTHER:]
    suggested = incident.suggested_wedding if incident.state != Incident.State.RESOLVED else None
    return {
        **payload,
        "further": lines,
        "suggestion": todays_weddings.name(suggested, now) if suggested else None,
        "assumed_at": assumed_at(incident),
    }


def _has_gone_on(incident: Incident) -> bool:
    """Whether the question that opened it is one of its reports and no longer needs an answer."""
    own = incident.reports.filter(event_id=incident.event_id)
    return own.exists() and not held_emergencies.still_asked(incident).filter(event_id=incident.event_id).exists()


def _instead(incident: Incident, event: ChannelEvent) -> dict[str, Any]:
    """The question, asked about another of the incident's reports."""
    if event.type == opening.WEDDING_UNKNOWN:
        return dict(event.payload)
    trouble = todays_weddings.guess(event, timezone.now()).trouble
    said = as_told(event.payload, incident.connection)
    return {"incident_id": str(incident.id), "trouble": trouble, **{name: each for name, each in said.items() if each}}


def assumed_at(incident: Incident) -> str | None:
    """When the suggested wedding is alerted, in its venue's time; ``None``: not without an answer."""
    if incident.assumed_at is None or incident.suggested_wedding is None:
        return None
    zone = incident.suggested_wedding.zone
    return f"{incident.assumed_at.astimezone(zone):%H:%M:%S} ({zone.key})"


@dataclass(frozen=True)
class Offered:
    """The weddings that staff can choose, each with its name: the suggested one and today's, and those near in time."""

    today: list[tuple[Wedding, str]]
    others: list[tuple[Wedding, str]]


def offered(incident: Incident, now: datetime) -> Offered:
    """The weddings that staff can choose from."""
    suggested = incident.suggested_wedding
    today = todays_weddings.of_organization(incident.organization_id, now)
    first = [*([suggested] if suggested else []), *(wedding for wedding in today if wedding != suggested)]
    near = Wedding.objects.filter(
        organization_id=incident.organization_id, date__range=(now.date() - EARLIER, now.date() + LATER)
    )
    others = near.exclude(id__in=[wedding.id for wedding in first]).order_by("date", "couple")[:MOST_OTHERS]
    return Offered(*([(each, todays_weddings.name(each, now)) for each in rows] for rows in (first, others)))
