"""Who may be told how, and when not."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.states import Reason
from notifications.rules.policy import ContactPoint, first_open, preferred, quiet_until
from tests.factories import ContactFactory, OrganizationFactory
from wedsync.queues import Priority
from wedsync.weddings.models import Contact, ContactChannel

NIGHT = (time(21), time(9))
CLOCKS_CHANGE = datetime(2027, 10, 31, 1, tzinfo=UTC)  # and on 28 March; in Europe


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
    st.one_of(
        st.datetimes(datetime(2024, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)),
        st.integers(0, 48 * 60).map(lambda minutes: CLOCKS_CHANGE - timedelta(days=1) + timedelta(minutes=minutes)),
    ),
)
def test_quiet_hours_end_when_the_wall_clock_says_so_in_every_zone(
    zone: str, starts: time, ends: time, now: datetime
) -> None:
    person = contact((starts, ends), zone)

    end = quiet_until(person, Priority.NORMAL, now)

    if end is not None:
        assert now < end <= now + timedelta(hours=26)
        assert quiet_until(person, Priority.NORMAL, end) is None
        for part in range(10):
            assert quiet_until(person, Priority.NORMAL, now + (end - now) * part / 10) is not None


@pytest.mark.parametrize(
    ("quiet", "now", "until"),
    [
        ((time(22), time(2, 30)), "2027-03-27T23:30+00:00", "2027-03-28T01:00+00:00"),  # 02:30 is left out
        ((time(22), time(2, 30)), "2027-10-30T23:30+00:00", "2027-10-31T00:30+00:00"),  # the first 02:30
        ((time(22), time(2, 30)), "2027-10-31T01:10+00:00", "2027-10-31T01:30+00:00"),  # 02:10 for the second time
    ],
)
def test_a_night_in_which_clocks_change_is_quiet_as_the_clock_on_the_wall_says(
    quiet: tuple[time, time], now: str, until: str
) -> None:
    found = quiet_until(contact(quiet), Priority.NORMAL, datetime.fromisoformat(now))

    assert found == datetime.fromisoformat(until)


def ways(person: Contact, **against: Reason) -> list[ContactPoint]:
    return [
        ContactPoint(channel, person, person.addresses(channel)[0], against.get(channel, Reason.NONE))
        for channel in (ContactChannel.WHATSAPP, ContactChannel.EMAIL)
    ]


def test_the_first_preferred_way_that_is_open_is_used() -> None:
    person = contact(preferred_channels=["email", "whatsapp"])

    def chosen(**against: Reason) -> ContactChannel | None:
        way = first_open(preferred(person, ways(person, **against)))
        return way.channel if way else None

    assert chosen() == ContactChannel.EMAIL
    assert chosen(email=Reason.BOUNCED) == ContactChannel.WHATSAPP
    assert chosen(email=Reason.NOT_WANTED, whatsapp=Reason.NO_CONSENT) is None
