"""What is told of a field that the wedding holds is what it holds, and what it held before is told with it."""

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from integrations.routing import route_event
from integrations.vendors import VENDORS
from integrations.vendors.base import SchemaError, Vendor
from notifications.wording import Subject, write
from tests.factories import ContactFactory, ExternalReferenceFactory, SystemFactory, WeddingFactory
from wedsync.live.log.writer import NewEvent, append
from wedsync.live.models import ChannelEvent
from wedsync.weddings.models import ContactChannel

pytestmark = pytest.mark.django_db
every_vendor = pytest.mark.parametrize("vendor", VENDORS.values(), ids=VENDORS)
KNOWN = {
    "guest_count": ("guest_count.changed", 110, 120),
    "capacity": ("venue.capacity_updated", 3196, 1959),
    "date": ("wedding.date_changed", date(2030, 6, 19), "2030-06-20"),
}


@pytest.fixture
def wedding() -> Any:
    return WeddingFactory(
        date=date(2030, 6, 19), timezone="Europe/Vienna", ceremony_time=time(15), guest_count=110, capacity=3196,
        venue_name="Seehof",
    )  # fmt: skip


def applied(
    wedding: Any, event_type: str, payload: dict[str, Any], *, at: datetime | None = None, system: Any = None
) -> ChannelEvent:
    """The event as it is stored after it was routed."""
    with transaction.atomic():
        (event,) = append(
            [
                NewEvent(
                    wedding.organization_id, wedding.id, event_type, payload, at or timezone.now(),
                    ChannelEvent.Source.WEBHOOK, [], source_system_id=system.id if system else None,
                )
            ]
        )  # fmt: skip
    route_event.route(event.id)
    wedding.refresh_from_db()
    return ChannelEvent.objects.select_related("wedding").get(id=event.id)


def timeline(vendor: Vendor, *changes: dict[str, Any]) -> dict[str, Any]:
    return vendor.canonical("timeline.updated", {"changes": list(changes)})


def told(event: ChannelEvent, locale: str = "en") -> list[str]:
    contact = ContactFactory(organization=event.organization, wedding=event.wedding, locale=locale)
    content = write(Subject(event, contact, ContactChannel.EMAIL))
    return [content.headline, *(fact.line for fact in content.facts)]


@every_vendor
@pytest.mark.parametrize("field", ["ceremony_time", "reception_time", "reception_end"])
@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("9:30", time(9, 30)),
        ("4:30 PM", time(16, 30)),
        ("16:30:00", time(16, 30)),
        ("16:30+02:00", time(16, 30)),
        ("14:30Z", time(16, 30)),
        ("2030-06-19T16:30:00+02:00", time(16, 30)),
        ("2030-06-19T14:30:00Z", time(16, 30)),
    ],
)
def test_a_time_is_kept_as_it_is_told(wedding: Any, vendor: Vendor, field: str, written: str, kept: time) -> None:
    event = applied(wedding, "timeline.updated", timeline(vendor, {"field": field, "after": written}))

    assert getattr(wedding, field) == kept
    (change,) = event.payload["changes"]
    assert change["after"] == kept.strftime("%H:%M")
    assert any(kept.strftime("%H:%M") in line for line in told(event)[1:])


def test_the_way_back_is_told_too(wedding: Any) -> None:
    vendor = VENDORS["studio_cloud"]
    first = applied(wedding, "timeline.updated", timeline(vendor, {"field": "ceremony_time", "after": "9:30"}))
    back = applied(wedding, "timeline.updated", timeline(vendor, {"field": "ceremony_time", "after": "15:00"}))

    assert (first.effect, back.effect, wedding.ceremony_time) == ("applied", "applied", time(15))
    assert back.payload["changes"] == [{"field": "ceremony_time", "before": "09:30", "after": "15:00"}]


@every_vendor
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("ceremony_time", "9ish"),
        ("ceremony_time", ""),
        ("ceremony_time", None),
        ("reception_end", 16),
        ("ceremonyTime", "soon"),
        ("Ceremony time", "soon"),
        ("date", "20300620"),
        ("date", 20300620),
        ("guest_count", "120"),
        ("headcount", "many"),
        ("capacity", -1),
        ("venue_name", ""),
    ],
)
def test_what_a_field_of_the_wedding_cannot_hold_is_refused_and_not_told(
    vendor: Vendor, field: str, value: Any
) -> None:
    with pytest.raises(SchemaError) as raised:
        timeline(vendor, {"field": field, "after": value})

    (problem,) = raised.value.problems
    assert problem.field == "changes.0.after"
    assert problem.reason.startswith("must ")


@every_vendor
def test_other_fields_are_told_in_the_vendors_words_and_kept_in_the_event(wedding: Any, vendor: Vendor) -> None:
    event = applied(wedding, "timeline.updated", timeline(vendor, {"field": "first_dance", "after": "9ish"}))

    assert event.payload["changes"] == [{"field": "first_dance", "after": "9ish", "before": None}]
    assert "First dance: not set → 9ish" in told(event)


@every_vendor
def test_a_vendors_own_name_of_a_field_changes_the_field(wedding: Any, vendor: Vendor) -> None:
    applied(wedding, "timeline.updated", timeline(vendor, {"field": "headcount", "after": 90}))
    applied(wedding, "timeline.updated", timeline(vendor, {"field": "Reception Time", "after": "18:00"}))

    assert (wedding.guest_count, wedding.reception_time) == (90, time(18))


def test_of_a_field_that_is_named_twice_the_last_value_is_kept_and_told(wedding: Any) -> None:
    twice = timeline(
        VENDORS["shootq"],
        {"field": "ceremony_time", "before": "14:00", "after": "16:00"},
        {"field": "ceremonyTime", "before": "16:00", "after": "17:00"},
    )
    event = applied(wedding, "timeline.updated", twice)

    assert event.payload["changes"] == [{"field": "ceremony_time", "before": "15:00", "after": "17:00"}]
    assert wedding.ceremony_time == time(17)


def test_a_change_that_is_older_than_what_we_know_is_not_told_beside_a_newer_one(wedding: Any) -> None:
    now, vendor = timezone.now(), VENDORS["iris_works"]
    applied(wedding, "timeline.updated", timeline(vendor, {"field": "ceremony_time", "after": "17:00"}), at=now)
    both = timeline(vendor, {"field": "ceremony_time", "after": "16:00"}, {"field": "reception_time", "after": "19:00"})
    event = applied(wedding, "timeline.updated", both, at=now - timedelta(minutes=1))

    assert [change["field"] for change in event.payload["changes"]] == ["reception_time"]
    assert [change["after"] for change in event.payload["extra"]["stale"]] == ["16:00"]
    assert wedding.ceremony_time == time(17)


@every_vendor
@pytest.mark.parametrize("previous", [None, 999, "wrong"], ids=["left out", "another", "blank"])
@pytest.mark.parametrize("field", KNOWN)
def test_what_the_wedding_held_is_told_whatever_the_vendor_says(
    wedding: Any, vendor: Vendor, field: str, previous: Any
) -> None:
    event_type, held, value = KNOWN[field]
    said = {None: {}, "wrong": {"previous": ""}}.get(previous, {"previous": "2020-01-01" if field == "date" else 999})
    event = applied(wedding, event_type, vendor.canonical(event_type, {field: value, **said}))

    before = held.isoformat() if isinstance(held, date) else held
    assert event.payload["before"] == before
    assert event.payload["previous"] == (said.get("previous") or before)
    for locale in ("en", "de", "es", "fr"):
        text = " ".join(told(event, locale))
        assert {"guest_count": "110 → 120", "capacity": "→ 1", "date": "19"}[field] in text
        assert "not known" not in text
        assert "999" not in text
        assert "2020" not in text


def test_where_we_knew_nothing_the_vendors_own_previous_is_told(wedding: Any) -> None:
    wedding.capacity = None
    wedding.save()
    event = applied(wedding, "venue.capacity_updated", {"capacity": 180, "previous": 150, "extra": {}})

    assert "before" not in event.payload
    assert "Capacity: 150 → 180" in told(event)


@every_vendor
def test_no_vendor_says_what_we_knew_before(vendor: Vendor) -> None:
    payload = vendor.canonical("guest_count.changed", {"guest_count": 120, "before": 7})

    assert payload == {"guest_count": 120, "extra": {"before": 7}}


def test_a_clients_new_address_is_told_with_the_old_one(wedding: Any) -> None:
    system = SystemFactory(organization=wedding.organization, kind="studio_cloud")
    person = ContactFactory(organization=wedding.organization, wedding=wedding, email="old@people.example")
    ExternalReferenceFactory(
        organization=wedding.organization, system=system, kind="client", external_id="C-1", contact=person, wedding=None
    )
    event = applied(
        wedding, "client.updated", {"client_id": "C-1", "email": "new@people.example", "extra": {}}, system=system
    )

    assert event.payload["before"] == {"email": "old@people.example"}
    assert "Email: old@people.example → new@people.example" in told(event)
