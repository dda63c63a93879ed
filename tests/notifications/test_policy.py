"""Who may be told how, and when not."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.policy import channels_for, quiet_until
from tests.factories import ContactFactory, OrganizationFactory
from wedsync.queues import Priority
from wedsync.weddings.models import Channel, Contact

NIGHT = (time(21), time(9))


def contact(quiet: tuple[time, time] | None = NIGHT, zone: str = "Europe/Vienna", **rest: object) -> Contact:
    starts, ends = quiet or (None, None)
    made: Contact = ContactFactory.build(
        organization=OrganizationFactory.build(),
        wedding=None,
        timezone=zone,
        quiet_from=starts,
        quiet_until=ends,
        **rest,
    )
    return made


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Vienna"))


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2027-06-19T20:59", None),
        ("2027-06-19T21:00", "2027-06-20T09:00"),
        ("2027-06-20T00:30", "2027-06-20T09:00"),
        ("2027-06-20T08:59", "2027-06-20T09:00"),
        ("2027-06-20T09:00", None),
    ],
)
def test_quiet_hours_may_go_over_midnight(now: str, until: str | None) -> None:
    assert quiet_until(contact(), Priority.HIGH, at(now)) == (at(until) if until else None)


def test_urgent_passes_quiet_hours() -> None:
    assert quiet_until(contact(), Priority.URGENT, at("2027-06-19T23:00")) is None


@given(
    st.sampled_from(sorted(available_timezones())),
    st.times(),
    st.times(),
    st.datetimes(datetime(2024, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)),
)
def test_quiet_hours_end_within_a_day_in_every_zone(zone: str, starts: time, ends: time, now: datetime) -> None:
    end = quiet_until(contact((starts, ends), zone), Priority.NORMAL, now)

    if end is not None:
        assert end.astimezone(ZoneInfo(zone)).time() == ends
        assert timedelta(hours=-2) <= end - now <= timedelta(hours=26)


def test_a_named_channel_is_used_where_the_person_has_an_address() -> None:
    assert channels_for(contact(email=""), ["whatsapp", "email"], {}) == [Channel.WHATSAPP]


def test_without_a_named_channel_the_first_preferred_open_one_is_used() -> None:
    person = contact(preferred_channels=["email", "whatsapp"])

    assert channels_for(person, [], {}) == [Channel.EMAIL]
    assert channels_for(person, [], {Channel.EMAIL: "bounced"}) == [Channel.WHATSAPP]
    assert channels_for(person, [], {Channel.EMAIL: "bounced", Channel.WHATSAPP: "no_consent"}) == []
