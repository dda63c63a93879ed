"""The wedding day, in the venue's zone."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import OrganizationFactory, WeddingFactory
from wedsync.weddings.day import bounds, is_wedding_day
from wedsync.weddings.models import Wedding


def wedding(day: date, zone: str = "Europe/Vienna", end: time | None = time(23, 30)) -> Wedding:
    organization = OrganizationFactory.build()
    made: Wedding = WeddingFactory.build(organization=organization, date=day, timezone=zone, reception_end=end)
    return made


@pytest.mark.parametrize(
    ("moment", "inside"),
    [
        ("2027-06-18T23:59:59+02:00", False),
        ("2027-06-19T00:00:00+02:00", True),
        ("2027-06-20T05:59:59+02:00", True),
        ("2027-06-20T06:00:00+02:00", False),
    ],
)
def test_the_day_is_half_open_from_midnight_to_six_in_the_venues_zone(moment: str, *, inside: bool) -> None:
    assert is_wedding_day(wedding(date(2027, 6, 19)), datetime.fromisoformat(moment)) is inside


def test_a_long_reception_makes_the_day_longer() -> None:
    party = wedding(date(2027, 6, 19), end=time(5))

    assert bounds(party)[1] == datetime(2027, 6, 20, 7, tzinfo=ZoneInfo("Europe/Vienna"))


def test_two_hours_after_the_reception_are_two_real_hours_on_the_night_clocks_change() -> None:
    party = wedding(date(2027, 10, 30), end=time(1, 30))
    late = wedding(date(2027, 10, 30), end=time(5))

    assert bounds(party)[1] == datetime(2027, 10, 31, 6, tzinfo=ZoneInfo("Europe/Vienna"))
    assert bounds(late)[1].astimezone(UTC) == datetime(2027, 10, 31, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "zone", "end"),
    [
        (date(2027, 10, 30), "Europe/Vienna", datetime(2027, 10, 31, 5, tzinfo=UTC)),  # 03:00 comes twice: winter
        (date(2027, 3, 27), "Europe/Vienna", datetime(2027, 3, 28, 4, tzinfo=UTC)),  # 02:00 is left out: summer
        (date(2027, 4, 3), "Australia/Lord_Howe", datetime(2027, 4, 3, 19, 30, tzinfo=UTC)),  # by half an hour
    ],
)
def test_a_wedding_at_half_past_eleven_on_the_night_clocks_change_lasts_until_six_on_the_wall(
    day: date, zone: str, end: datetime
) -> None:
    party = WeddingFactory.build(
        organization=OrganizationFactory.build(), date=day, timezone=zone, ceremony_time=time(23, 30),
        reception_time=time(23, 45), reception_end=time(3),
    )  # fmt: skip
    at_the_ceremony = datetime.combine(day, time(23, 30), ZoneInfo(zone))

    assert is_wedding_day(party, at_the_ceremony)
    assert bounds(party)[1].astimezone(UTC) == end
    assert is_wedding_day(party, end - timedelta(microseconds=1))
    assert not is_wedding_day(party, end)


@given(
    day=st.dates(date(2024, 1, 1), date(2035, 12, 31)),
    zone=st.sampled_from(sorted(available_timezones())),
    end=st.none() | st.times(),
)
def test_the_day_covers_the_whole_date_in_every_zone(day: date, zone: str, end: time | None) -> None:
    party = wedding(day, zone, end)
    start, finish = bounds(party)

    assert start < finish
    noon = datetime.combine(day, time(12), ZoneInfo(zone))
    assert is_wedding_day(party, noon)
    assert is_wedding_day(party, start)
    assert not is_wedding_day(party, datetime.fromtimestamp(finish.timestamp(), UTC))
    assert finish.timestamp() - start.timestamp() <= timedelta(hours=52).total_seconds()
