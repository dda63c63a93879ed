"""Asking a venue's system for a free day, over HTTP."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest

from integrations.errors import CredentialsRefused, OurFault, Permanent, ServerError
from integrations.remote_reads import availability
from integrations.remote_reads.availability import Availability, NotAsked
from integrations.vendors import CALLED
from tests.factories import SystemFactory
from tests.integrations.conftest import Told

Tell = Callable[..., Told]
VENUES = [slug for slug, called in CALLED.items() if called.tells_availability]
DAY = dt.date(2027, 6, 19)
pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("slug", VENUES)
def test_a_free_day_a_booked_one_and_too_many_guests(slug: str, told: Tell) -> None:
    there = told(slug)

    assert availability.check(there.system, DAY, 120) == Availability(DAY, 120, True, 250)
    assert availability.check(there.system, DAY, 251).available is False
    there.put("booking", {"id": "BK-9", "event_date": "2027-06-19", "status": "confirmed"})
    assert availability.check(there.system, DAY, 120) == Availability(DAY, 120, False, 250, "Booked already.")
    there.put("booking", {"id": "BK-9", "status": "cancelled"})
    assert availability.check(there.system, DAY, 120).available


def test_only_venues_that_take_calls_are_asked(told: Tell) -> None:
    with pytest.raises(NotAsked, match="only venues' systems can"):
        availability.check(told("shootq").system, DAY, 1)
    with pytest.raises(NotAsked, match="Resume it first"):
        availability.check(told("venue_master", state="paused").system, DAY, 1)


def test_what_a_venue_can_not_say_is_an_error_of_the_right_kind(told: Tell) -> None:
    there = told("venue_master")
    there.peer.fault("venue_master", "status", status=503, count=1)
    with pytest.raises(ServerError):
        availability.check(there.system, DAY, 1)
    with pytest.raises(CredentialsRefused):
        availability.check(told("venue_master", credentials={"access_token": "wrong"}).system, DAY, 1)
    with pytest.raises(Permanent, match="404"):
        availability.check(told("venue_master", path="studio_cloud").system, DAY, 1)


def test_an_address_that_may_not_be_called_is_not_called() -> None:
    with pytest.raises(OurFault):
        availability.check(SystemFactory(kind="venue_master", base_url="https://127.0.0.1:1"), DAY, 1)
