"""Alerts about emergencies and templates end with their cause, told once; who raise at once get an answer each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.health import alerts
from integrations.models import Alert, Delivery
from integrations.models.health import Cause
from integrations.routing.route_event import route
from notifications.incidents import acknowledging, alert_ends, staff_actions
from notifications.models import Incident, Notification, WhatsAppTemplate
from tests.at_once import at_once
from tests.factories import DeliveryFactory, WhatsAppTemplateFactory
from tests.notifications.incidents.emergencies import Stage, set_stage
from wedsync.live.models import ChannelEvent

pytestmark = pytest.mark.django_db
End = Callable[[Incident], object]


@pytest.fixture
def stage() -> Stage:
    return set_stage()


def acknowledged(incident: Incident) -> None:
    acknowledging.acknowledge_incident(incident, by="Ben", via="Slack")


def resolved(incident: Incident) -> None:
    staff_actions.resolve(incident, by="Ben")


def reached(incident: Incident) -> None:
    Delivery.objects.filter(event=incident.event, channel="email").update(state="succeeded")


@pytest.mark.parametrize(
    ("cause", "end"),
    [
        (Cause.UNANSWERED, acknowledged),
        (Cause.UNANSWERED, resolved),
        (Cause.NOBODY_REACHED, acknowledged),
        (Cause.NOBODY_REACHED, resolved),
        (Cause.NOBODY_REACHED, reached),
    ],
)
@pytest.mark.parametrize("about", ["incident", "event"])
def test_an_alert_of_an_emergency_ends_with_it_and_is_told_once(
    stage: Stage, cause: Cause, end: End, about: str
) -> None:
    event = stage.report()
    incident = Incident.objects.get()
    named = str(incident.id if about == "incident" else event.id)
    alerts.raise_alert(incident.organization_id, cause, "Call them.", about=named)
    assert alert_ends.end_past() == 0

    end(incident)

    assert alert_ends.end_past() == 1
    assert alert_ends.end_past() == 0
    told = ChannelEvent.objects.filter(type__startswith="ops.alert").values_list("type", flat=True).order_by("id")
    assert list(told) == ["ops.alert_raised", "ops.alert_resolved"]


def test_an_alert_of_what_is_no_incident_ends_when_it_reaches_somebody_or_a_day_later(stage: Stage) -> None:
    event = stage.report()
    Delivery.objects.update(state="succeeded")
    staff_actions.resolve(Incident.objects.get(), by="Ben")
    clear = ChannelEvent.objects.get(type="incident.resolved")
    alerts.raise_alert(event.organization_id, Cause.NOBODY_REACHED, "Call.", about=str(clear.id))
    alert = Alert.objects.get()
    now = timezone.now()
    assert not alert_ends.is_over(alert, now)
    assert alert_ends.is_over(alert, now + timedelta(hours=25))

    Notification.objects.filter(event=clear).update(state="reached")

    assert alert_ends.end_past() == 1


@pytest.mark.parametrize(("status", "over"), [("paused", 0), ("approved", 1), ("disabled", 1)])
def test_an_alert_of_an_own_template_ends_when_staff_have_dealt_with_it(status: str, over: int) -> None:
    row = WhatsAppTemplateFactory(name="own_update", status=WhatsAppTemplate.Status.PAUSED)
    alerts.raise_alert(row.organization_id, Cause.TEMPLATE_REFUSED, "Paused.", about="own_update")

    WhatsAppTemplate.objects.update(status=status)

    assert alert_ends.end_past() == over


def test_an_alert_of_a_shipped_template_ends_when_meta_takes_one_again() -> None:
    delivery = DeliveryFactory(channel="whatsapp")
    alerts.raise_alert(delivery.organization_id, Cause.TEMPLATE_REFUSED, "Paused.", about="wedding_update")
    body = '{"type": "template", "template": {"name": "wedding_update", "language": {"code": "en"}}}'
    taken = DeliveryFactory(organization=delivery.organization, channel="whatsapp", request={"body": body})
    assert alert_ends.end_past() == 0

    Delivery.objects.filter(id=taken.id).update(state="succeeded")

    assert alert_ends.end_past() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("drill", [False, True])
def test_two_who_raise_at_once_end_in_one_incident_and_a_clear_answer_each(drill: bool) -> None:
    stage = set_stage()

    def raise_it(_: int) -> str:
        try:
            event = staff_actions.raise_emergency(stage.wedding, "fire", "Smoke", by="Ben", drill=drill)
            route(event.id)
        except staff_actions.AlreadyOpen as error:
            return str(error)
        return "raised"

    answers = sorted(at_once(6, raise_it))

    assert Incident.objects.count() == 1
    assert answers == ([staff_actions.UNDER_WAY] * 5 + ["raised"] if drill else ["raised"] * 6)
