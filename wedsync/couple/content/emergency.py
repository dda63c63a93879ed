"""The open emergency of a wedding: what has happened, what to do, and whom to call."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from notifications.incidents import opening
from notifications.models import UNKNOWN_KIND, Incident
from notifications.wording.languages import Reader
from notifications.wording.letters import cut, tidy
from wedsync.couple.content import words
from wedsync.weddings import address_forms
from wedsync.weddings.models import Contact, Wedding

MOST_CALLED = 4
LONGEST_DESCRIPTION = 2_000
EVERYWHERE = "112"
_ELSEWHERE = {"America/": "911", "Australia/": "000", "Pacific/Auckland": "111"}


@dataclass(frozen=True)
class PhoneNumber:
    """Somebody to call. ``phone``: E.164, as a ``tel:`` link needs it; ``about``: why this person."""

    name: str
    phone: str
    about: str


@dataclass(frozen=True)
class Emergency:
    """An incident that is not over. ``taken``: who takes care of it, as a sentence; empty: nobody yet."""

    incident: Incident
    kind: str
    description: str
    reported: str
    taken: str
    call_first: str
    numbers: list[PhoneNumber]

    @property
    def is_open(self) -> bool:
        """Whether nobody takes care of it yet."""
        return self.incident.state == Incident.State.OPEN


def living(wedding: Wedding) -> QuerySet[Incident]:
    """The wedding's incident that is not over; drills are for staff."""
    same = {"wedding": wedding, "organization_id": wedding.organization_id}
    return Incident.objects.filter(opening.LIVING, drill=False, **same)


def of_wedding(wedding: Wedding, now: datetime, reader: Reader, said: Mapping[str, str]) -> Emergency | None:
    """The wedding's emergency, if there is one."""
    incident = living(wedding).select_related("event").first()
    if incident is None:
        return None
    kind = reader.word(incident.kind.strip() or UNKNOWN_KIND, "kind")
    at, reporter = words.moment(incident.opened_at, now, reader), tidy(incident.opened_by)
    taken = ""
    if incident.acknowledged_at:
        since = words.moment(incident.acknowledged_at, now, reader)
        taken = said["taken"].format(name=tidy(incident.acknowledged_by), time=since)
    return Emergency(
        incident,
        kind[:1].upper() + kind[1:],
        cut(tidy(incident.description), LONGEST_DESCRIPTION) or reader.words["not_given"],
        said["reported_by"].format(time=at, name=reporter) if reporter else said["reported"].format(time=at),
        taken,
        said["do_danger"].format(number=public_number(wedding)),
        _numbers(incident, wedding, said),
    )


def public_number(wedding: Wedding) -> str:
    """The public emergency number where the wedding is; 112 reaches help from mobile phones nearly everywhere."""
    return next((number for zone, number in _ELSEWHERE.items() if wedding.timezone.startswith(zone)), EVERYWHERE)


def _numbers(incident: Incident, wedding: Wedding, said: Mapping[str, str]) -> list[PhoneNumber]:
    """The wedding's people by call order, else its coordinators; then the person who reported it."""
    people = Contact.objects.filter(wedding=wedding, organization_id=wedding.organization_id).exclude(phone="")
    called = list(people.filter(call_order__isnull=False).order_by("call_order", "id")[:MOST_CALLED])
    called = called or list(people.filter(role=Contact.Role.COORDINATOR).order_by("id")[:MOST_CALLED])
    found = [_number(each.name, each.phone, said.get(f"role.{each.role}", "")) for each in called]
    told = {name: str(incident.event.payload.get(name) or "") for name in ("reported_by", "contact_phone")}
    found.append(_number(told["reported_by"], told["contact_phone"], said["reporter"]))
    return list({each.phone: each for each in reversed(found) if each}.values())[::-1]


def _number(name: str, phone: str, about: str) -> PhoneNumber | None:
    try:
        return PhoneNumber(tidy(name)[:100] or phone, address_forms.phone(phone), about) if phone else None
    except ValueError:
        return None
