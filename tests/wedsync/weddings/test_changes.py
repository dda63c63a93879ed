"""How a wedding's fields change."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import transaction

from tests.factories import WeddingFactory
from wedsync.weddings import changes, fields
from wedsync.weddings.changes import ChangeResult, Said

NOON = datetime(2027, 6, 1, 12, tzinfo=UTC)


@pytest.mark.django_db
def test_the_newest_fact_wins_whatever_order_facts_arrive_in() -> None:
    wedding = WeddingFactory(guest_count=100)

    first = apply(wedding, 120, NOON)
    older = apply(wedding, 80, NOON - timedelta(minutes=1))
    again = apply(wedding, 120, NOON + timedelta(minutes=1))

    assert [each.outcome for each in (first, older, again)] == [
        ChangeResult.APPLIED,
        ChangeResult.STALE,
        ChangeResult.UNCHANGED,
    ]
    assert (first.before, first.after) == (100, 120)
    wedding.refresh_from_db()
    assert wedding.guest_count == 120


@pytest.mark.django_db
def test_an_equal_value_moves_the_time_from_which_facts_count() -> None:
    wedding = WeddingFactory(guest_count=100)
    apply(wedding, 100, NOON)

    assert apply(wedding, 90, NOON - timedelta(seconds=1)).outcome == ChangeResult.STALE


@pytest.mark.django_db
def test_our_own_people_overrule_a_vendor_whose_clock_is_fast() -> None:
    wedding = WeddingFactory(guest_count=100)
    apply(wedding, 110, NOON + timedelta(minutes=4))

    assert apply(wedding, 120, NOON, own=True).outcome == ChangeResult.APPLIED
    assert apply(wedding, 110, NOON + timedelta(minutes=4)).outcome == ChangeResult.STALE


STUDIO, VENUE = uuid4(), uuid4()


@pytest.mark.django_db
def test_a_clock_that_is_ahead_makes_nobody_elses_events_stale() -> None:
    wedding = WeddingFactory(guest_count=100)
    ahead = Said(NOON + timedelta(seconds=290), NOON, STUDIO)
    right = Said(NOON + timedelta(seconds=60), NOON + timedelta(seconds=61), VENUE)

    assert said(wedding, 110, ahead).outcome == ChangeResult.APPLIED
    assert said(wedding, 120, right).outcome == ChangeResult.APPLIED


@pytest.mark.django_db
def test_an_older_event_that_comes_late_is_stale_although_its_clock_is_ahead() -> None:
    wedding = WeddingFactory(guest_count=100)
    said(wedding, 120, Said(NOON + timedelta(seconds=60), NOON + timedelta(seconds=60), VENUE))

    late = Said(NOON + timedelta(seconds=290), NOON + timedelta(seconds=30), STUDIO)

    assert said(wedding, 110, late).outcome == ChangeResult.STALE


@pytest.mark.django_db
@pytest.mark.parametrize("between", [None, VENUE], ids=["alone", "another in between"])
def test_among_events_of_one_system_its_own_clock_decides(between: UUID | None) -> None:
    wedding = WeddingFactory(guest_count=100)
    newer = Said(NOON + timedelta(seconds=290), NOON, STUDIO)
    older = Said(NOON + timedelta(seconds=280), NOON + timedelta(seconds=20), STUDIO)
    newest = Said(NOON + timedelta(seconds=291), NOON + timedelta(seconds=30), STUDIO)

    assert said(wedding, 110, newer).outcome == ChangeResult.APPLIED
    if between:
        assert said(wedding, 120, Said(NOON + timedelta(seconds=10), NOON + timedelta(seconds=10), between)).outcome
    assert said(wedding, 90, older).outcome == ChangeResult.STALE
    assert said(wedding, 130, newest).outcome == ChangeResult.APPLIED


@pytest.mark.django_db
def test_two_events_of_one_system_in_the_same_instant_of_ours_count_by_its_clock() -> None:
    wedding = WeddingFactory(guest_count=100)

    assert said(wedding, 110, Said(NOON + timedelta(seconds=1), NOON, STUDIO)).outcome == ChangeResult.APPLIED
    assert said(wedding, 120, Said(NOON + timedelta(seconds=2), NOON, STUDIO)).outcome == ChangeResult.APPLIED
    assert said(wedding, 130, Said(NOON + timedelta(seconds=2), NOON, STUDIO)).outcome == ChangeResult.STALE


@pytest.mark.django_db
def test_what_an_older_version_of_ours_has_noted_still_counts() -> None:
    wedding = WeddingFactory(guest_count=100, field_changed_at={"guest_count": NOON.isoformat()})
    before = said(wedding, 90, Said(NOON - timedelta(seconds=1), NOON - timedelta(seconds=1), STUDIO))
    said(wedding, 110, Said(NOON + timedelta(seconds=5), NOON + timedelta(seconds=5), STUDIO))
    wedding.refresh_from_db()
    wedding.field_changed_at |= {"guest_count": (NOON + timedelta(seconds=60)).isoformat()}
    wedding.save()  # as a worker of before does, which knows nothing of systems

    assert before.outcome == ChangeResult.STALE
    at = NOON + timedelta(seconds=30)
    assert said(wedding, 120, Said(at, at, STUDIO)).outcome == ChangeResult.STALE


def said(wedding: Any, number: int, when: Said) -> changes.FieldChange:
    with transaction.atomic():
        (change,) = changes.apply(wedding.id, {"guest_count": number}, when)
    return change


def apply(wedding: Any, number: int, at: datetime, *, own: bool = False) -> changes.FieldChange:
    return said(wedding, number, Said(at, own=own))


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("ceremonyTime", "ceremony_time"),
        ("Ceremony time", "ceremony_time"),
        ("CEREMONY_TIME", "ceremony_time"),
        (" ceremony-time ", "ceremony_time"),
        ("GuestCount", "guest_count"),
        ("first_dance", "first_dance"),
        ("First Dance", "First Dance"),
    ],
)
def test_a_field_of_the_wedding_is_known_in_any_spelling(name: str, field: str) -> None:
    assert fields.field_named(name) == field


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("guest_count", -1),
        ("guest_count", True),
        ("guest_count", "12"),
        ("guest_count", 10**9),
        ("date", "soon"),
        ("date", "9999-12-31"),
        ("date", "0001-01-01"),
        ("ceremony_time", "25:00"),
        ("ceremony_time", 16),
        ("ceremony_time", "16"),
        ("ceremony_time", "1600"),
        ("ceremony_time", "9ish"),
        ("date", 20270620),
        ("date", "20270620"),
        ("date", "12/06/2027"),
        ("venue_name", "  "),
        ("venue_name", "a\x00b"),
        ("couple", "Eve"),
    ],
)
def test_values_that_a_field_can_not_hold_are_refused(field: str, value: object) -> None:
    with pytest.raises(ValueError, match="must be|must lie|is not a field"):
        fields.parse(field, value)
