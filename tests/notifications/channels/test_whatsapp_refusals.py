"""WhatsApp refuses a message, as the sandbox plays it: what each code leads to."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.models import Alert, Delivery, System
from notifications.channels.whatsapp.channel import resend_closed_windows
from notifications.models import TraceEntry
from tests.notifications.channels.phones import OUTAGE, happened, on, person, to_couple, work
from tests.sandbox.sandbox_peer import Peer
from wedsync.weddings.models import Address, Wedding

pytestmark = pytest.mark.django_db(transaction=True)


def test_131047_leads_to_the_template_at_once_and_once(wedding: Wedding, outside: Peer) -> None:
    person(wedding)
    to_couple(wedding)
    Address.objects.filter(channel="whatsapp").update(last_inbound_at=timezone.now() - timedelta(hours=1))
    event = happened(wedding)  # we believe that the window is open, and WhatsApp does not

    work(event)

    states = Delivery.objects.filter(event=event).order_by("generation").values_list("channel", "state", "state_reason")
    assert list(states) == [("whatsapp", "dead", "window_closed"), ("whatsapp", "succeeded", "")]
    (message,) = outside.messages("whatsapp")
    assert message["body"]["type"] == "template"
    assert Address.objects.get(channel="whatsapp").window_closed_at
    assert TraceEntry.objects.filter(event=event, what="fell_back").exists()
    assert resend_closed_windows() == 0


def test_a_worker_that_dies_between_131047_and_the_template_is_made_up_for(wedding: Wedding) -> None:
    person(wedding)
    to_couple(wedding)
    event = happened(wedding)
    Delivery.objects.filter(event=event).update(
        state="dead",
        state_reason="window_closed",
        finished_at=timezone.now(),
        attempt_count=1,
        request={"method": "POST", "path": "/messages", "body": '{"type": "text"}', "headers": {}},
    )

    assert resend_closed_windows() == 1
    assert resend_closed_windows() == 0
    assert on(event, "whatsapp").generation == 1


def test_131047_of_a_template_goes_to_the_next_channel_and_never_round_in_circles(
    wedding: Wedding, outside: Peer
) -> None:
    person(wedding)
    to_couple(wedding)
    outside.fault("whatsapp", "status", status=400, code=131047)
    event = happened(wedding)

    work(event)

    assert [row.channel for row in Delivery.objects.filter(event=event).order_by("id")] == ["whatsapp", "email"]
    assert resend_closed_windows() == 0
    work(event)
    assert Delivery.objects.filter(event=event).count() == 2


def test_131026_marks_the_phone_and_goes_by_mail(wedding: Wedding, outside: Peer) -> None:
    person(wedding, phone="+19990131026")
    to_couple(wedding)
    event = happened(wedding)

    work(event)

    assert on(event, "whatsapp").state == "dead"
    assert on(event, "email").state == "succeeded"
    assert len(outside.messages("resend")) == 1
    address = Address.objects.get(channel="whatsapp")
    assert "131026" in address.bounce_reason
    later = happened(wedding)
    assert [(row.channel, row.state) for row in Delivery.objects.filter(event=later)] == [("email", "pending")]


def test_190_stops_the_channel_and_alerts_and_urgent_news_go_on_by_mail(wedding: Wedding, outside: Peer) -> None:
    person(wedding)
    to_couple(wedding, channels=["whatsapp"])
    outside.fault("whatsapp", "status", status=401, code=190)
    event = happened(wedding, "venue.emergency_reported", OUTAGE)

    work(event)

    system = System.objects.get(kind="whatsapp")
    assert (system.state, system.state_reason) == ("paused", "credentials_refused")
    assert Alert.objects.filter(cause="system_stopped", system=system).exists()
    assert on(event, "whatsapp").state == "held"
    assert on(event, "email").state == "succeeded"


def test_a_template_that_was_stopped_alerts_staff_and_the_message_goes_by_mail(wedding: Wedding, outside: Peer) -> None:
    person(wedding)
    to_couple(wedding)
    outside.fault("whatsapp", "status", status=400, code=132015)
    event = happened(wedding)

    work(event)

    assert on(event, "email").state == "succeeded"
    alert = Alert.objects.get(cause="template_refused")
    assert alert.about == "wedding_update_2"
