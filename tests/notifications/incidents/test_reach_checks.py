"""Before the day: the daily self-test of the way to staff, and each morning whom an emergency would reach."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from integrations.models import Alert, Delivery, System
from notifications.channels import subjects
from notifications.incidents import reach_checks
from notifications.models import ReachCheck
from notifications.wording import write
from tests.at_once import at_once
from tests.notifications.incidents.incident_scene import Scene, make_scene
from wedsync.live.models import ChannelEvent
from wedsync.weddings.models import Address, Contact

pytestmark = pytest.mark.django_db
NOON = datetime(2027, 6, 19, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _at_nine(settings: Any) -> None:
    settings.SELF_TEST_HOUR = 9


@pytest.fixture
def scene() -> Scene:
    return make_scene(date=date(2027, 6, 19), timezone="Europe/Vienna")


def told() -> set[tuple[str, str]]:
    return set(Delivery.objects.values_list("channel", "event__type"))


def test_the_self_test_is_a_drill_that_says_so_on_every_way_of_staff_once_a_day(scene: Scene) -> None:
    assert reach_checks.self_test(NOON.replace(hour=8)) == 0

    assert reach_checks.self_test(NOON) == 1
    assert reach_checks.self_test(NOON) == 0

    assert told() == {("slack", "ops.self_test"), ("email", "ops.self_test")}
    for delivery in Delivery.objects.select_related("event", "system"):
        content = write(subjects.of(delivery))
        assert content.headline.startswith("DRILL: ")
        assert content.drill
        assert not content.asks
    assert reach_checks.self_test(NOON + timedelta(days=1)) == 1


def test_what_did_not_arrive_is_an_alert_until_a_self_test_does(scene: Scene) -> None:
    reach_checks.self_test(NOON)
    Delivery.objects.filter(channel="slack").update(state="succeeded")
    later = datetime.now(UTC) + timedelta(minutes=3)

    assert reach_checks.judge(datetime.now(UTC)) == 0
    assert reach_checks.judge(later) == 1
    assert reach_checks.judge(later) == 0

    assert "owner@people.example" in Alert.objects.get(cause="self_test", resolved_at=None).text
    reach_checks.self_test(NOON + timedelta(days=1))
    Delivery.objects.filter(event__type="ops.self_test").update(state="succeeded")
    reach_checks.judge(later)
    assert Alert.objects.get(cause="self_test").resolved_at


@pytest.mark.parametrize(
    ("zone", "now", "checked"),
    [
        ("Europe/Vienna", datetime(2027, 6, 19, 4, 59, tzinfo=UTC), 0),
        ("Europe/Vienna", datetime(2027, 6, 19, 5, 0, tzinfo=UTC), 1),
        ("Pacific/Kiritimati", datetime(2027, 6, 18, 16, 59, tzinfo=UTC), 0),
        ("Pacific/Kiritimati", datetime(2027, 6, 18, 17, 0, tzinfo=UTC), 1),
        ("Pacific/Pago_Pago", datetime(2027, 6, 19, 17, 59, tzinfo=UTC), 0),
        ("Pacific/Pago_Pago", datetime(2027, 6, 19, 18, 0, tzinfo=UTC), 1),
        ("Pacific/Pago_Pago", datetime(2027, 6, 20, 11, 1, tzinfo=UTC), 0),  # its day is over
    ],
)
def test_a_wedding_is_checked_from_seven_at_its_venue_on_and_on_its_day_alone(
    zone: str, now: datetime, checked: int
) -> None:
    make_scene(date=date(2027, 6, 19), timezone=zone)
    assert now.astimezone(ZoneInfo(zone)).tzinfo

    assert reach_checks.check_weddings(now) == checked
    assert reach_checks.check_weddings(now) == 0


def test_staff_are_told_of_the_gaps_and_not_where_there_are_none(scene: Scene) -> None:
    assert reach_checks.check_weddings(NOON) == 1
    event = ChannelEvent.objects.get(type="ops.reach_checked")
    assert event.payload["gaps"] == []
    assert len(event.payload["reached"]) == 3
    assert not Delivery.objects.exists()

    ReachCheck.objects.all().delete()
    Address.objects.filter(value=scene.dora.phone).update(consented_at=None)
    Contact.objects.filter(id=scene.dora.id).update(email="")
    reach_checks.check_weddings(NOON)

    assert told() == {("slack", "ops.reach_checked"), ("email", "ops.reach_checked")}
    first = Delivery.objects.select_related("event", "system").first()
    assert first
    text = write(subjects.of(first)).text
    assert "Dora (venue) cannot be reached" in text
    assert "consent" in text.lower()


@pytest.mark.parametrize(
    ("break_it", "gap"),
    [
        (lambda scene: Contact.objects.update(call_order=None, role="couple"), "Nobody is in the call order"),
        (lambda scene: Contact.objects.update(email="", phone=""), "None of the people who are called first"),
        (lambda scene: System.objects.filter(kind="whatsapp").update(state="paused"), "nothing is sent by WhatsApp"),
        (lambda scene: System.objects.filter(kind="resend").delete(), "There is no system for Email"),
        (lambda scene: System.objects.filter(kind__in=["email", "slack"]).delete(), "No channel reaches your own"),
    ],
)
def test_each_kind_of_gap_is_named(scene: Scene, break_it: object, gap: str) -> None:
    if gap.startswith("There is no system for Email"):
        System.objects.filter(kind=System.Kind.EMAIL).delete()
    else:
        break_it(scene)  # type: ignore[operator]

    _, gaps = reach_checks.whom_we_reach(scene.wedding)

    assert any(gap in line for line in gaps), gaps


@pytest.mark.django_db(transaction=True)
def test_of_many_sweeps_at_once_one_makes_each_check() -> None:
    make_scene(date=date(2027, 6, 19), timezone="Europe/Vienna")
    Contact.objects.update(email="", phone="")

    made = at_once(6, lambda _: reach_checks.self_test(NOON) + reach_checks.check_weddings(NOON))

    assert sum(made) == 2
    assert ChannelEvent.objects.filter(type__in=["ops.self_test", "ops.reach_checked"]).count() == 2
    assert Delivery.objects.count() == 4
