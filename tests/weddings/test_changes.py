"""How a wedding's fields change."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction

from tests.factories import WeddingFactory
from wedsync.weddings import changes
from wedsync.weddings.changes import Outcome

NOON = datetime(2027, 6, 1, 12, tzinfo=UTC)


@pytest.mark.django_db
def test_the_newest_fact_wins_whatever_order_facts_arrive_in() -> None:
    wedding = WeddingFactory(guest_count=100)

    first = apply(wedding, 120, NOON)
    older = apply(wedding, 80, NOON - timedelta(minutes=1))
    again = apply(wedding, 120, NOON + timedelta(minutes=1))

    assert [each.outcome for each in (first, older, again)] == [Outcome.APPLIED, Outcome.STALE, Outcome.UNCHANGED]
    assert (first.before, first.after) == (100, 120)
    wedding.refresh_from_db()
    assert wedding.guest_count == 120


@pytest.mark.django_db
def test_an_equal_value_moves_the_time_from_which_facts_count() -> None:
    wedding = WeddingFactory(guest_count=100)
    apply(wedding, 100, NOON)

    assert apply(wedding, 90, NOON - timedelta(seconds=1)).outcome == Outcome.STALE


@pytest.mark.django_db
def test_our_own_people_overrule_a_vendor_whose_clock_is_fast() -> None:
    wedding = WeddingFactory(guest_count=100)
    apply(wedding, 110, NOON + timedelta(minutes=4))

    assert apply(wedding, 120, NOON, own=True).outcome == Outcome.APPLIED
    assert apply(wedding, 110, NOON + timedelta(minutes=4)).outcome == Outcome.STALE


def apply(wedding: Any, number: int, at: datetime, *, own: bool = False) -> changes.Change:
    with transaction.atomic():
        (change,) = changes.apply(wedding.id, {"guest_count": number}, at, own=own)
    return change


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
        ("ceremony_time", "16:00+02:00"),
        ("venue_name", "  "),
        ("venue_name", "a\x00b"),
        ("couple", "Eve"),
    ],
)
def test_values_that_a_field_can_not_hold_are_refused(field: str, value: object) -> None:
    with pytest.raises(ValueError, match="must be|must lie|is not a field"):
        changes.parse(field, value)
