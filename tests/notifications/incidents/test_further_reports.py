"""Further reports join the incident of their wedding: what is told of them, when, and to whom."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from integrations.models import Delivery
from integrations.states import Reason, State
from notifications.channels import subjects
from notifications.incidents import late_reports, opening
from notifications.models import Incident, IncidentReport
from notifications.wording import write
from tests.factories import ContactFactory
from tests.notifications.incidents.incident_scene import OUTAGE, Scene, everybody, live, make_scene, whom
from wedsync.live.models import ChannelEvent
from wedsync.weddings.models import Address


@pytest.fixture
def scene(db: None) -> Scene:
    return make_scene()


def pause_is_over(scene: Scene) -> None:
    long_ago = Now() - timedelta(hours=1)
    Incident.objects.filter(wedding=scene.wedding).update(told_at=long_ago)
    Incident.objects.filter(wedding=scene.wedding, update_due_at__isnull=False).update(update_due_at=long_ago)


def test_a_flapping_sensor_alerts_everyone_once(scene: Scene) -> None:
    first = scene.report()

    later = [scene.report(description=f"  the hall IS {'dark ' * (number % 2 or 1)}").id for number in range(49)]
    pause_is_over(scene)
    late_reports.tell_updates()

    assert IncidentReport.objects.filter(incident=scene.incident).count() == 50
    assert whom(live(event=first)) == everybody(scene)
    assert live(event__in=later) == []


def test_reports_that_always_say_something_new_are_told_once_in_a_pause(scene: Scene) -> None:
    scene.report()
    events = [scene.report(description=f"{number} °C") for number in range(49)]
    assert live(event__in=events) == []
    assert late_reports.tell_updates() == 0, "the pause is not over"

    pause_is_over(scene)
    assert late_reports.tell_updates() == 1
    assert late_reports.tell_updates() == 0

    assert whom(live(event=events[-1])) == everybody(scene)
    assert live(event__in=events[:-1]) == []


def test_what_came_too_early_is_told_with_the_newest(scene: Scene) -> None:
    """Two emergencies of one wedding within the pause, such as those that a paused connection had held."""
    scene.report()
    for said in ("A guest has collapsed", "a guest  has collapsed", "The hall is dark", "The lift is stuck"):
        scene.report(description=said)
    last = scene.report(description="Now it burns")
    pause_is_over(scene)
    late_reports.tell_updates()

    for delivery in live(event=last):
        lines = write(subjects.of(delivery)).text.splitlines()
        assert [line for line in lines if line.startswith("Also reported")] == [
            "Also reported: power outage: a guest has collapsed",
            "Also reported: power outage: The lift is stuck",
        ]
    pause_is_over(scene)
    later = scene.report(description="It is over")
    assert "Also reported" not in write(subjects.of(live(event=later)[0])).text, "those have been told"


def test_new_words_after_the_pause_reach_only_those_who_know(scene: Scene) -> None:
    scene.report()
    Delivery.objects.filter(contact=scene.anna).update(state=State.SKIPPED, state_reason=Reason.OPTED_OUT)
    mine = {"organization": scene.wedding.organization}
    newcomer = ContactFactory(**mine, wedding=scene.wedding, name="Late Guest", role="vendor")
    Address.objects.create(**mine, channel="whatsapp", value=newcomer.phone, consented_at=timezone.now())
    pause_is_over(scene)

    second = scene.report(description="Now it burns")

    assert whom(live(event=second)) == everybody(scene) - {("Anna", "whatsapp"), ("Anna", "email")}


def test_what_was_never_told_is_told_when_it_comes_again(scene: Scene) -> None:
    scene.report()
    scene.report(description="Smoke in the kitchen")
    scene.report(description="Fire in the kitchen")
    pause_is_over(scene)
    late_reports.tell_updates()
    pause_is_over(scene)

    again = scene.report(description="Smoke in the kitchen")

    assert whom(live(event=again)) == everybody(scene)


@pytest.mark.parametrize("written", [{"description": "Fire"}, {}], ids=["new", "the same"])
def test_the_dry_run_changes_nothing(scene: Scene, written: dict[str, str]) -> None:
    scene.report()
    pause_is_over(scene)
    event = ChannelEvent(
        organization=scene.wedding.organization, wedding=scene.wedding, type=opening.REPORTED,
        payload=OUTAGE | written, priority="urgent",
    )  # fmt: skip

    telling = opening.telling(event)

    assert telling.only is not None
    assert len(telling.only) == len(everybody(scene))
    assert IncidentReport.objects.count() == 1
