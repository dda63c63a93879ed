"""Blank values, ids as numbers, and emergencies written in haste: what every vendor's payload is read as."""

from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from integrations.vendors import VENDORS
from integrations.vendors.base import SchemaError, Vendor
from wedsync.live.event_types.catalogue import CATALOGUE, EMERGENCY

LEAST: dict[str, dict[str, Any]] = {
    "timeline.updated": {"changes": [{"field": "ceremony_time", "after": "16:00"}]},
    "guest_count.changed": {"guest_count": 120},
    "booking.created": {"booking_id": "BK-1", "status": "open"},
    "booking.updated": {"booking_id": "BK-1", "status": "open"},
    "booking.confirmed": {"booking_id": "BK-1", "status": "open"},
    "booking.cancelled": {"booking_id": "BK-1", "status": "open"},
    "gallery.ready": {"gallery_url": "https://gallery.example/1"},
    "gallery.delivered": {"gallery_url": "https://gallery.example/1"},
    "payment.received": {"amount": "10.00", "currency": "EUR", "reference": "R-1"},
    "payment.failed": {"amount": "10.00", "currency": "EUR", "reference": "R-1"},
    "client.updated": {"client_id": "C-1"},
    "venue.capacity_updated": {"capacity": 180},
    "venue.capacity_exceeded": {"capacity": 100, "guest_count": 120},
    "venue.setup_scheduled": {},
    "venue.catering_updated": {},
    "venue.space_assigned": {},
    EMERGENCY: {},
    "wedding.date_changed": {"date": "2027-06-20"},
    "form.submitted": {"form_id": "01977f00-0000-7000-8000-0000000000a1", "answers": {"a": "b"}},
    "journey.milestone_reached": {"milestone": "menu", "progress": 50},
}
OPTIONAL = [
    (event_type, name)
    for event_type in LEAST
    for name, field in CATALOGUE[event_type].payload.model_fields.items()
    if name not in LEAST[event_type] and name not in CATALOGUE[event_type].payload.ours and not field.is_required()
]
IDS = [
    (event_type, name)
    for event_type in LEAST
    for name in CATALOGUE[event_type].payload.model_fields
    if name in {"booking_id", "client_id", "reference"}
]

BLANKS = ("", "   ", "\t\n", "\u00a0", "\u200b", "<b></b>", None)

every_vendor = pytest.mark.parametrize("vendor", VENDORS.values(), ids=VENDORS)


def test_the_least_of_each_type_that_a_vendor_may_send_is_tried() -> None:
    assert set(LEAST) == {name for name, entry in CATALOGUE.items() if not entry.is_ours}


@every_vendor
@pytest.mark.parametrize("event_type", LEAST)
def test_a_blank_in_an_optional_field_counts_as_left_out(vendor: Vendor, event_type: str) -> None:
    expected = vendor.canonical(event_type, LEAST[event_type])

    for field in (name for kind, name in OPTIONAL if kind == event_type):
        for blank in BLANKS:
            assert vendor.canonical(event_type, {**LEAST[event_type], field: blank}) == expected, (field, blank)


@every_vendor
def test_a_blank_in_a_required_field_is_refused(vendor: Vendor) -> None:
    with pytest.raises(SchemaError) as raised:
        vendor.canonical("booking.created", {"booking_id": " ", "status": "open"})

    assert [(each.field, each.reason) for each in raised.value.problems] == [("booking_id", "must not be empty")]


@every_vendor
def test_a_blank_beside_a_value_under_another_name_is_no_second_value(vendor: Vendor) -> None:
    for sent in ({"headcount": "", "guest_count": 120}, {"guest_count": 120, "headcount": ""}):
        assert vendor.canonical("guest_count.changed", sent) == {"guest_count": 120, "extra": {}}


@every_vendor
@pytest.mark.parametrize(("event_type", "field"), IDS, ids="-".join)
def test_a_number_as_an_id_is_taken_as_its_digits(vendor: Vendor, event_type: str, field: str) -> None:
    assert vendor.canonical(event_type, {**LEAST[event_type], field: 78})[field] == "78"
    with_more_digits_than_any_number = {**LEAST[event_type], field: 10**40}
    assert vendor.canonical(event_type, with_more_digits_than_any_number)[field] == "1" + "0" * 40


@every_vendor
@pytest.mark.parametrize(
    ("amount", "currency"),
    [
        ("1200.50", "EUR"), ("1200.5", "eur"), (1200.5, "Eur"), ("1200.500", "EUR"), ("1200", "JPY"), (1200, "jpy"),
        ("1200.00", "JPY"), ("1200.505", "KWD"), ("0.001", "bhd"), ("1.5", "IQD"), ("1.1234", "CLF"),
        ("1200.50", "XYZ"),
    ],
)  # fmt: skip
def test_an_amount_has_its_currencys_decimals(vendor: Vendor, amount: Any, currency: str) -> None:
    payload = vendor.canonical("payment.received", {"amount": amount, "currency": currency, "reference": 7})

    assert Decimal(payload["amount"]) == Decimal(str(amount))
    assert (payload["currency"], payload["reference"]) == (currency.upper(), "7")


@every_vendor
@pytest.mark.parametrize(
    ("amount", "currency", "decimals"),
    [("1200.505", "EUR", 2), ("1200.5", "JPY", 0), ("1200.5055", "kwd", 3), ("1.12345", "CLF", 4), (0.001, "CHF", 2)],
)
def test_an_amount_that_its_currency_has_no_coins_for_is_refused(
    vendor: Vendor, amount: Any, currency: str, decimals: int
) -> None:
    with pytest.raises(SchemaError) as raised:
        vendor.canonical("payment.failed", {"amount": amount, "currency": currency, "reference": "R"})

    (problem,) = raised.value.problems
    assert problem.field == "amount"
    assert f"at most {decimals} decimals" in problem.reason


@every_vendor
@pytest.mark.parametrize("currency", ["euro", "€", "E1R", "", "EURO", 978])
def test_a_currency_is_three_letters(vendor: Vendor, currency: Any) -> None:
    with pytest.raises(SchemaError) as raised:
        vendor.canonical("payment.failed", {"amount": 1, "currency": currency, "reference": "R"})

    assert [problem.field for problem in raised.value.problems] == ["currency"]


@every_vendor
@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ({"contact_phone": ""}, {}),
        ({"kind": "", "description": " ", "reported_by": None}, {}),
        ({"contact_phone": 436601234567}, {"contact_phone": "436601234567"}),
        ({"contact_phone": 4.36601234567e11}, {"contact_phone": "436601234567"}),
        ({"kind": 7, "reported_by": True}, {"kind": "7", "reported_by": "true"}),
        ({"description": ["No light", "Stairs"]}, {"description": '["No light", "Stairs"]'}),
        ({"description": "x" * 10_001}, {"description": "x" * 9_999 + "…"}),
        ({"kind": "y" * 201}, {"kind": "y" * 199 + "…"}),
        ({"reported_by": "z" * 5_000}, {"reported_by": "z" * 199 + "…"}),
        ({"contact_phone": "1" * 300}, {"contact_phone": "1" * 199 + "…"}),
        ({"location_name": "l" * 300}, {"venue_name": "l" * 199 + "…"}),
        ({"booking_id": 77}, {"booking_id": "77"}),
        ({"wedding_id": "BK-77"}, {"booking_id": "BK-77"}),
        ({"wedding_id": 77}, {"booking_id": "77"}),
        ({"wedding_id": "old", "booking_id": "BK-77"}, {"booking_id": "BK-77"}),
        ({"extra": "cellar"}, {"extra": {"extra": "cellar"}}),
        ({"venue_name": "A", "location_name": "B"}, {"venue_name": "A", "extra": {"location_name": "B"}}),
    ],
    ids=lambda value: repr(value)[:40],
)  # fmt: skip
def test_an_emergency_is_read_whatever_is_wrong_with_its_values(
    vendor: Vendor, sent: dict[str, Any], read: dict[str, Any]
) -> None:
    assert vendor.canonical(EMERGENCY, sent) == {"extra": {}, **read}


@every_vendor
def test_a_wedding_id_of_ours_stays_one(vendor: Vendor) -> None:
    known = str(uuid4())

    assert vendor.canonical(EMERGENCY, {"wedding_id": known})["wedding_id"] == known


@every_vendor
@pytest.mark.parametrize(
    "name",
    [
        "venue.emergency_reported", "VENUE.EMERGENCY_REPORTED", "Venue.Emergency_Reported", "emergency.reported",
        " venue.emergency_reported\n", "EMERGENCY.REPORTED", "emergency_reported", "Emergency Reported",
        "emergencyReported",
    ],
)  # fmt: skip
def test_an_emergency_counts_however_its_type_is_spelled(vendor: Vendor, name: str) -> None:
    assert vendor.event_type(name) == EMERGENCY


@every_vendor
def test_capitals_and_spaces_around_a_type_do_not_matter(vendor: Vendor) -> None:
    for theirs, ours in vendor.event_types.items():
        assert vendor.event_type(theirs.upper()) == vendor.event_type(f" {theirs.title()} ") == ours
    assert vendor.event_type("GUEST_COUNT.CHANGED") == "guest_count.changed"
    assert vendor.event_type("INCIDENT.RESOLVED") is None
