"""Every registered vendor: its fixtures become its declared events, in our names, as plain text, and nothing else."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from integrations.models import System
from integrations.vendors import VENDORS
from integrations.vendors.base import COMMON_ALIASES, Outgoing, SchemaError, Vendor
from wedsync.live.event_types.catalogue import CATALOGUE
from wedsync.live.models import ChannelEvent
from wedsync.wire.problems import FieldProblem

FOLDER = Path(__file__).parent
FIXTURES = sorted(FOLDER.glob("*/*.json"))
FIELDS = {field for entry in CATALOGUE.values() for field in entry.payload.model_fields}
HUGE = 10**300

every_vendor = pytest.mark.parametrize("vendor", VENDORS.values(), ids=VENDORS)
every_fixture = pytest.mark.parametrize("path", FIXTURES, ids=lambda path: f"{path.parent.name}-{path.stem}")


def read(path: Path) -> tuple[Vendor, str, dict[str, Any]]:
    """A fixture's vendor, our name of its event type, and its payload."""
    vendor = VENDORS[path.parent.name]
    envelope = json.loads(path.read_text(encoding="utf-8"))
    event_type = vendor.event_type(envelope["eventType"])
    assert event_type
    return vendor, event_type, envelope["payload"]


def problems(vendor: Vendor, event_type: str, payload: dict[str, Any]) -> list[FieldProblem]:
    with pytest.raises(SchemaError) as raised:
        vendor.canonical(event_type, payload)
    return raised.value.problems


@every_fixture
def test_a_fixture_becomes_the_event_that_its_name_says(path: Path) -> None:
    vendor, event_type, sent = read(path)

    assert event_type == path.stem.split("__")[0]
    payload = vendor.canonical(event_type, sent)
    assert set(payload) <= set(CATALOGUE[event_type].payload.model_fields)
    assert payload.get("client_id" if event_type == "client.updated" else "booking_id")


@every_fixture
def test_a_fixture_loses_nothing(path: Path) -> None:
    vendor, event_type, sent = read(path)

    payload = vendor.canonical(event_type, sent)

    known = [name for name, value in payload.items() if name != "extra" and value != []]
    assert len(known) + len(payload["extra"]) == len(sent)


@every_vendor
def test_each_word_of_a_vendor_means_a_known_type_and_has_a_fixture_in_that_word(vendor: Vendor) -> None:
    assert set(vendor.event_types.values()) <= set(CATALOGUE)
    used = {json.loads(path.read_text())["eventType"] for path in FIXTURES if path.parent.name == vendor.slug}
    assert set(vendor.event_types) <= used


@every_vendor
def test_each_alias_of_a_vendor_is_another_word_for_a_field_of_ours(vendor: Vendor) -> None:
    aliases = {**COMMON_ALIASES, **vendor.aliases}

    assert set(aliases.values()) <= FIELDS
    assert not set(aliases) & set(vendor.aliases.values())


@every_vendor
def test_canonical_names_are_always_understood(vendor: Vendor) -> None:
    assert all(vendor.event_type(name) == name for name, entry in CATALOGUE.items() if not entry.is_ours)
    assert vendor.event_type("something.else") is None
    assert not set(vendor.event_types) & set(CATALOGUE)


@every_vendor
@pytest.mark.parametrize(
    "name",
    [
        "ops.alert_raised",
        "ops.alert_resolved",
        "system.health_changed",
        "incident.acknowledged",
        "incident.resolved",
        "incident.drill_started",
        "incident.wedding_unknown",
        "personal_link.requested",
    ],
)
def test_no_vendor_can_send_what_only_wedsync_makes(vendor: Vendor, name: str) -> None:
    assert CATALOGUE[name].is_ours
    assert vendor.event_type(name) is None


def test_every_vendors_system_can_be_connected() -> None:
    assert set(VENDORS) <= set(System.Kind)


@every_vendor
def test_a_payload_that_breaks_its_schema_names_our_field_and_what_must_stand_there(vendor: Vendor) -> None:
    assert problems(vendor, "venue.capacity_updated", {"max_capacity": "many"}) == [
        FieldProblem("capacity", "must be a whole number")
    ]
    assert problems(vendor, "booking.created", {}) == [
        FieldProblem("booking_id", "is missing"),
        FieldProblem("status", "is missing"),
    ]


@pytest.mark.parametrize(
    ("event_type", "payload", "field"),
    [
        ("venue.capacity_updated", {"capacity": HUGE}, "capacity"),
        ("venue.capacity_updated", {"capacity": -1}, "capacity"),
        ("venue.capacity_updated", {"capacity": 1.5}, "capacity"),
        ("venue.capacity_updated", {"capacity": True}, "capacity"),
        ("venue.capacity_updated", {"capacity": "180"}, "capacity"),
        ("venue.capacity_updated", {"capacity": None}, "capacity"),
        ("venue.capacity_updated", {"capacity": [180]}, "capacity"),
        ("venue.capacity_updated", {"capacity": 1, "reason": {"a": 1}}, "reason"),
        ("venue.capacity_updated", {"capacity": 1, "reason": "x" * 10_001}, "reason"),
        ("venue.capacity_updated", {"capacity": 1, "wedding_id": "x" * 10_000}, "wedding_id"),
        ("venue.capacity_updated", {"capacity": 1, "extra": [1]}, "extra"),
        ("wedding.date_changed", {"date": HUGE}, "date"),
        ("wedding.date_changed", {"date": "tomorrow"}, "date"),
        ("wedding.date_changed", {"date": "9999-12-31"}, "date"),
        ("venue.setup_scheduled", {"starts_at": "at eight"}, "starts_at"),
        ("venue.setup_scheduled", {"starts_at": HUGE}, "starts_at"),
        ("payment.received", {"amount": HUGE, "currency": "EUR", "reference": "1"}, "amount"),
        ("payment.received", {"amount": 1.001, "currency": "EUR", "reference": "1"}, "amount"),
        ("payment.received", {"amount": "a lot", "currency": "EUR", "reference": "1"}, "amount"),
        ("payment.received", {"amount": 1, "currency": "euro", "reference": "1"}, "currency"),
        ("gallery.ready", {"gallery_url": "javascript:alert(1)"}, "gallery_url"),
        ("timeline.updated", {"changes": []}, "changes"),
        ("timeline.updated", {"changes": "x"}, "changes"),
        ("timeline.updated", {"changes": [1]}, "changes.0"),
        ("timeline.updated", {"changes": [{"field": "date"}]}, "changes.0.after"),
        ("timeline.updated", {"changes": [{"field": "date", "after": [1]}]}, "changes.0.after"),
        ("timeline.updated", {"changes": [{"field": "date", "after": "x"}] * 101}, "changes"),
        ("form.submitted", {"form_id": "1", "answers": {}}, "form_id"),
        ("journey.milestone_reached", {"milestone": "x", "progress": HUGE}, "progress"),
        ("booking.created", {"booking_id": "BK-1", "status": " "}, "status"),
        ("wedding.date_changed", {"date": "20270620"}, "date"),
        ("wedding.date_changed", {"date": 20270620}, "date"),
        ("wedding.date_changed", {"date": "2027-W25-5"}, "date"),
        ("wedding.date_changed", {"date": "12/06/2027"}, "date"),
        ("wedding.date_changed", {"date": "2027-06-20", "previous": 1813622400}, "previous"),
        ("booking.created", {"booking_id": "1", "status": "open", "date": "1813622400"}, "date"),
        ("venue.setup_scheduled", {"starts_at": "20270620"}, "starts_at"),
        ("venue.setup_scheduled", {"starts_at": 20270620}, "starts_at"),
        ("venue.setup_scheduled", {"starts_at": "1813622400"}, "starts_at"),
        ("venue.setup_scheduled", {"starts_at": "2027-06-20"}, "starts_at"),
        ("venue.setup_scheduled", {"starts_at": "2027-02-30T09:00"}, "starts_at"),
    ],
    ids=lambda value: None if isinstance(value, dict) else str(value),
)
@every_vendor
def test_a_value_that_does_not_fit_is_named_and_not_repeated(
    vendor: Vendor, event_type: str, payload: dict[str, Any], field: str
) -> None:
    (problem,) = problems(vendor, event_type, payload)

    assert problem.field == field
    assert len(problem.reason) < 120
    assert "Input" not in problem.reason


@every_vendor
def test_a_name_that_is_not_known_inside_a_change_is_shortened(vendor: Vendor) -> None:
    change = {"field": "date", "after": "2027-06-20", "z" * 10_000: 1}

    (problem,) = problems(vendor, "timeline.updated", {"changes": [change]})

    assert problem == FieldProblem("changes.0." + "z" * 60 + "…", "is not a known field")


@every_vendor
def test_one_field_under_two_names_is_refused_whatever_the_order(vendor: Vendor) -> None:
    twice = [FieldProblem("guest_count", "is given twice; send one of its names")]

    assert problems(vendor, "guest_count.changed", {"headcount": 120, "guest_count": 120}) == twice
    assert problems(vendor, "guest_count.changed", {"guest_count": 120, "headcount": 110}) == twice
    for alias, ours in vendor.aliases.items():
        event_type = next(name for name, entry in CATALOGUE.items() if ours in entry.payload.model_fields)
        assert problems(vendor, event_type, {alias: "1", ours: "1"}) == [
            FieldProblem(ours, "is given twice; send one of its names")
        ]


@every_vendor
def test_what_is_not_known_stays_under_extra_in_the_senders_words(vendor: Vendor) -> None:
    sent = {"capacity": 180, "headcount": 3, "floor": {"rooms": ["Hall"]}, "extra": {"colour": "red"}}

    payload = vendor.canonical("venue.capacity_updated", sent)

    assert payload == {
        "capacity": 180,
        "extra": {"headcount": 3, "floor": {"rooms": ["Hall"]}, "colour": "red"},
    }
    both = {**sent, "extra": {"floor": 2}}
    assert [problem.field for problem in problems(vendor, "venue.capacity_updated", both)] == ["extra.floor"]


@every_vendor
def test_huge_numbers_that_no_field_asks_for_are_kept_as_they_are(vendor: Vendor) -> None:
    payload = vendor.canonical("guest_count.changed", {"guest_count": 1, "stars": HUGE})

    assert payload["extra"] == {"stars": HUGE}


@every_vendor
def test_texts_are_cleaned_before_they_are_measured(vendor: Vendor) -> None:
    payload = vendor.canonical(
        "venue.emergency_reported",
        {
            "kind": "<b>power</b>_outage",
            "description": "No light in the hall\u202e & <script>alert(1)</script>5 < 6 lamps",
            "reported_by": "<i></i>" * 100 + "Tom\x00",
            "<u>floor</u>": ["<b>2</b>"],
        },
    )

    assert payload == {
        "kind": "power_outage",
        "description": "No light in the hall & 5 < 6 lamps",
        "reported_by": "Tom",
        "extra": {"floor": ["2"]},
    }


@every_vendor
def test_a_required_text_that_is_only_markup_is_empty(vendor: Vendor) -> None:
    sent = {"booking_id": "BK-1", "status": "<img src=x onerror=alert(1)>"}

    assert problems(vendor, "booking.created", sent) == [FieldProblem("status", "must not be empty")]


def outgoing(event_type: str, payload: dict[str, Any]) -> Outgoing:
    event = ChannelEvent(id=uuid4(), type=event_type, payload=payload, occurred_at=timezone.now())
    return Outgoing(event, "BK/7 7", 3)


@pytest.mark.parametrize("slug", ["studio_cloud", "shootq", "iris_works"])
def test_photography_crms_take_timelines_and_dates(slug: str) -> None:
    change = {"field": "ceremony_time", "before": "15:00", "after": "16:00"}
    timeline = VENDORS[slug].outbound(outgoing("timeline.updated", {"changes": [change]}))
    date = VENDORS[slug].outbound(outgoing("wedding.date_changed", {"date": "2027-06-20"}))

    assert timeline is not None
    assert date is not None
    assert (timeline.method, timeline.path) == (date.method, date.path) == ("POST", "/bookings/timeline")
    body = json.loads(timeline.body)
    assert (body["booking_id"], body["sequence"]) == ("BK/7 7", 3)
    assert body["changes"] == [{"item": "ceremony_time", "from": "15:00", "to": "16:00"}]
    assert json.loads(date.body)["changes"] == [{"item": "shoot_date", "from": None, "to": "2027-06-20"}]
    assert VENDORS[slug].outbound(outgoing("guest_count.changed", {"guest_count": 1})) is None


@pytest.mark.parametrize("slug", ["venue_master", "party_rental"])
def test_venue_systems_take_the_number_of_guests(slug: str) -> None:
    request = VENDORS[slug].outbound(outgoing("guest_count.changed", {"guest_count": 120}))

    assert request is not None
    assert (request.method, request.path) == ("PUT", "/events/BK%2F7%207/guest-count")
    assert json.loads(request.body)["guest_count"] == 120
    assert VENDORS[slug].outbound(outgoing("wedding.date_changed", {"date": "2027-06-20"})) is None
