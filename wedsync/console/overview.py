"""What the dashboard shows of one organization; every query is limited in rows or in time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from integrations.health.report import Health, SystemHealth
from integrations.models import Delivery, System
from integrations.rules.known_before import before_in
from integrations.states import State
from notifications.models import Incident
from wedsync.ids import first_id_since
from wedsync.live.channels import names_of_wedding, ops_channel
from wedsync.live.log.reader import positions_of_state
from wedsync.live.models import ChannelEvent
from wedsync.weddings.models import Form, Organization, Wedding

LATEST_EVENTS = 25
PER_PAGE = 25
LAST_PAGE = 200
MOST_SYSTEMS = 40
MOST_WEDDINGS = 30
MOST_FORMS = 20
MOST_UNPLACED = 20
_DAY = timedelta(days=1)
CARDS = {
    "succeeded": (State.SUCCEEDED,),
    "under way": (State.PENDING, State.IN_FLIGHT, State.SCHEDULED),
    "held": (State.HELD,),
    "dead": (State.DEAD,),
    "not sent": (State.CANCELLED, State.SKIPPED),
}


@dataclass(frozen=True)
class Card:
    """How many deliveries are in some states."""

    name: str
    count: int
    states: str


@dataclass(frozen=True)
class DeliveryPage:
    """One page of deliveries, newest first. They are not counted, which would cost more than it is worth."""

    rows: list[Delivery]
    number: int
    has_next: bool

    @property
    def newer(self) -> int:
        """The page before."""
        return self.number - 1

    @property
    def older(self) -> int:
        """The page after."""
        return self.number + 1


def cards(organization: Organization) -> list[Card]:
    """The deliveries of the last 24 hours, counted by state."""
    recent = Delivery.objects.filter(organization=organization, id__gte=first_id_since(timezone.now() - _DAY))
    counts = dict(recent.values_list("state").annotate(count=Count("id")).order_by())
    return [
        Card(name, sum(counts.get(state, 0) for state in states), ",".join(states)) for name, states in CARDS.items()
    ]


def unplaced(organization: Organization) -> list[Incident]:
    """The emergencies whose wedding nobody has chosen yet, the newest first."""
    living = Incident.objects.filter(organization=organization, wedding=None, drill=False)
    rows = living.exclude(state=Incident.State.RESOLVED).select_related("connection__system", "suggested_wedding")
    return list(rows.order_by("-id")[:MOST_UNPLACED])


def systems(health: Health) -> list[SystemHealth]:
    """The connected systems: the stopped ones first, then those in the worst health."""
    return sorted(health.systems, key=lambda each: each.system.state == System.Status.ACTIVE)[:MOST_SYSTEMS]


def current_weddings(organization: Organization) -> list[Wedding]:
    """Yesterday's, today's and the next weddings."""
    since = timezone.now().date() - _DAY
    return list(Wedding.objects.filter(organization=organization, date__gte=since).order_by("date")[:MOST_WEDDINGS])


def positions(organization: Organization, weddings: list[Wedding], senders: list[System]) -> dict[str, dict[str, Any]]:
    """The live channels that the dashboard follows, each with the position from which it misses nothing."""
    forms = Form.objects.filter(organization=organization).order_by("-id").values_list("id", flat=True)[:MOST_FORMS]
    names = [
        f"urgent:wedding-day:{organization.pk}",
        f"supplier:photography:{organization.pk}",
        ops_channel(organization.pk),
        *(name for wedding in weddings for name in names_of_wedding(wedding.pk)),
        *(f"supplier:dashboard:{system.pk}" for system in senders),
        *(f"form:response:{form}" for form in forms),
    ]
    return positions_of_state(organization.pk, names, [wedding.pk for wedding in weddings])


def latest_events(organization: Organization) -> QuerySet[ChannelEvent]:
    """The newest events."""
    rows = ChannelEvent.objects.filter(organization=organization).select_related("wedding")
    return rows.order_by("-id")[:LATEST_EVENTS]


def deliveries(organization: Organization, asked: Mapping[str, str]) -> DeliveryPage:
    """A page of deliveries by ``state`` (several with commas), ``channel``, ``q`` and ``page``."""
    rows = Delivery.objects.filter(organization=organization)
    if states := [state for state in asked.get("state", "").split(",") if state in State.values]:
        rows = rows.filter(state__in=states)
    if channel := asked.get("channel"):
        rows = rows.filter(channel=channel)
    if wanted := asked.get("q", "").replace("\x00", "").strip()[:200]:
        rows = rows.filter(_matching(wanted))
    number = _page_number(asked.get("page", ""))
    start = (number - 1) * PER_PAGE
    found = list(
        rows.select_related("event__wedding", "system", "contact").order_by("-id")[start : start + PER_PAGE + 1]
    )
    return DeliveryPage(found[:PER_PAGE], number, len(found) > PER_PAGE and number < LAST_PAGE)


def _page_number(text: str) -> int:
    return min(max(int(text), 1), LAST_PAGE) if text.isascii() and text.isdigit() and len(text) < 5 else 1


def _matching(wanted: str) -> Q:
    try:
        exact = UUID(wanted)
    except ValueError:
        return (
            Q(target__icontains=wanted)
            | Q(contact__name__icontains=wanted)
            | Q(system__name__icontains=wanted)
            | Q(event__type__icontains=wanted)
            | Q(event__wedding__couple__icontains=wanted)
        )
    return Q(id=exact) | Q(event_id=exact) | Q(event__correlation_id=exact)


def summary(payload: Mapping[str, Any]) -> str:
    """An event's payload in one line. static/console/console.js does the same for live events."""
    if isinstance(payload.get("changes"), list):
        parts = [_change(change) for change in payload["changes"] if isinstance(change, dict)]
    else:
        parts = [_fact(name, value, before_in(payload)) for name, value in payload.items() if _is_shown(name, value)]
    return ", ".join(parts[:4])


def _change(change: Mapping[str, Any]) -> str:
    return f"{_words(change.get('field'))} {_text(change.get('before'))} → {_text(change.get('after'))}"


def _fact(name: str, value: object, previous: object) -> str:
    changed = previous is not None and name in {"capacity", "guest_count", "date"}
    return f"{_words(name)} {_text(previous)} → {_text(value)}" if changed else f"{_words(name)}: {_text(value)}"


def _is_shown(name: str, value: object) -> bool:
    return (
        name not in {"wedding_id", "form_id", "previous", "before", "alert_id", "system_id"}
        and isinstance(value, str | int | float)
        and value != ""
    )


def _text(value: object) -> str:
    """As the script writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "none" if value is None else str(value)


def _words(name: object) -> str:
    return str(name).replace("_", " ")
