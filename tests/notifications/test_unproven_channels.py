"""Channels on which nothing shows that a message arrived: used beside others, and in an emergency never counted."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from integrations.models import Alert, Delivery, System
from integrations.states import Reason, State
from notifications import fallback
from notifications.incidents import escalation, reach_checks, staff_calls
from notifications.models import Incident, Notification, Plan
from notifications.recipients import send_checks
from notifications.rules import plan_steps
from tests.factories import ContactFactory, DeviceFactory, SystemFactory, WeddingFactory
from tests.notifications.test_fallback import Status, emergency, end, on, payment, taken, to_people
from wedsync.weddings.models import Address, Contact, ContactChannel, Wedding

pytestmark = pytest.mark.django_db
States = Notification.State
PUSH = ContactChannel.WEB_PUSH


@pytest.fixture
def wedding() -> Wedding:
    made: Wedding = WeddingFactory()
    for kind in (System.Kind.WHATSAPP, System.Kind.EMAIL, System.Kind.WEB_PUSH):
        SystemFactory(organization=made.organization, kind=kind)
    return made


@pytest.fixture
def anna(wedding: Wedding) -> Contact:
    """With WhatsApp, email, and a browser that has asked for notifications."""
    made: Contact = ContactFactory(organization=wedding.organization, wedding=wedding, role="couple")
    Address.objects.create(
        organization=wedding.organization, channel="whatsapp", value=made.phone, consented_at=timezone.now()
    )
    DeviceFactory(contact=made)
    return made


def channels(event_id: object) -> list[str]:
    return list(Delivery.objects.filter(event_id=event_id).order_by("id").values_list("channel", flat=True))


def state() -> str:
    return Notification.objects.get(recipient__startswith="contact:").state


def test_an_urgent_message_by_push_alone_goes_by_all_others_too(wedding: Wedding, anna: Contact) -> None:
    to_people(wedding, channels=[PUSH.value])
    event = emergency(wedding)
    assert channels(event.id) == [PUSH]
    taken(on(event, PUSH))

    fallback.judge(Notification.objects.get().id)

    assert set(channels(event.id)) == {PUSH, "whatsapp"}
    end(on(event, "whatsapp"), State.DEAD, Reason.REFUSED)
    assert set(channels(event.id)) == {PUSH, "whatsapp", "email"}
    assert state() == States.OPEN


def test_an_urgent_message_that_waits_for_its_push_service_waits_for_nothing(wedding: Wedding, anna: Contact) -> None:
    to_people(wedding, channels=[PUSH.value])
    event = emergency(wedding)
    assert on(event, PUSH).state == State.PENDING

    fallback.judge(Notification.objects.get().id)

    assert set(channels(event.id)) == {PUSH, "whatsapp"}


def test_where_push_alone_took_it_nobody_was_reached(wedding: Wedding, anna: Contact) -> None:
    to_people(wedding, channels=["whatsapp", PUSH.value, "email"])
    event = emergency(wedding)
    taken(on(event, PUSH))
    for channel in ("whatsapp", "email"):
        end(on(event, channel), State.DEAD, Reason.REFUSED)

    assert state() == States.FAILED
    assert Alert.objects.filter(cause="nobody_reached").exists()
    assert not staff_calls.somebody_was_told(Incident.objects.get())


def test_a_push_that_still_waits_does_not_delay_that_answer(wedding: Wedding, anna: Contact) -> None:
    to_people(wedding, channels=["whatsapp", PUSH.value, "email"])
    event = emergency(wedding)
    for channel in ("whatsapp", "email"):
        end(on(event, channel), State.DEAD, Reason.REFUSED)

    assert on(event, PUSH).state == State.PENDING
    assert state() == States.FAILED


def test_an_ordinary_message_goes_beside_the_preferred_channel_which_decides(wedding: Wedding, anna: Contact) -> None:
    to_people(wedding)
    event = payment(wedding)
    assert set(channels(event.id)) == {"whatsapp", PUSH}
    taken(on(event, PUSH))
    fallback.judge(Notification.objects.get().id)
    assert state() == States.OPEN

    end(on(event, "whatsapp"), State.DEAD, Reason.REFUSED)

    assert set(channels(event.id)) == {"whatsapp", PUSH, "email"}
    taken(on(event, "email"), Status.DELIVERED)
    fallback.judge(Notification.objects.get().id)
    assert state() == States.REACHED


def test_an_ordinary_message_by_push_alone_counts_once_it_is_accepted(wedding: Wedding, anna: Contact) -> None:
    to_people(wedding, channels=[PUSH.value])
    event = payment(wedding)
    taken(on(event, PUSH))

    fallback.judge(Notification.objects.get().id)

    assert state() == States.REACHED
    assert channels(event.id) == [PUSH]


def test_an_ordinary_message_whose_push_fails_goes_by_the_next_channel(wedding: Wedding, anna: Contact) -> None:
    to_people(wedding, channels=[PUSH.value])
    event = payment(wedding)

    end(on(event, PUSH), State.DEAD, Reason.BOUNCED)

    assert set(channels(event.id)) == {PUSH, "whatsapp"}


def test_an_ordinary_message_that_only_push_took_is_not_called_failed(wedding: Wedding, anna: Contact) -> None:
    to_people(wedding)
    event = payment(wedding)
    taken(on(event, PUSH))
    for channel in ("whatsapp", "email"):
        end(on(event, channel), State.DEAD, Reason.REFUSED)

    assert state() == States.REACHED


def test_a_person_with_two_browsers_gets_it_on_both(wedding: Wedding, anna: Contact) -> None:
    DeviceFactory(contact=anna, value="b" * 64)
    to_people(wedding)

    event = payment(wedding)

    assert sorted(channels(event.id)) == [PUSH, PUSH, "whatsapp"]


def test_two_people_who_share_a_browser_stay_two_people(wedding: Wedding, anna: Contact) -> None:
    ben: Contact = ContactFactory(organization=wedding.organization, wedding=wedding, role="couple", phone="")
    DeviceFactory(contact=ben)
    to_people(wedding)

    event = payment(wedding)

    assert Notification.objects.count() == 2
    assert sorted(channels(event.id)) == ["email", PUSH, "whatsapp"], "the browser itself gets it once"


def test_a_browser_that_has_gone_since_is_not_written_to(wedding: Wedding, anna: Contact) -> None:
    to_people(wedding)
    row = on(payment(wedding), PUSH)
    assert send_checks.blocked(row) is None

    anna.devices.all().delete()
    row.refresh_from_db()

    found = send_checks.blocked(Delivery.objects.get(id=row.id))
    assert found is not None
    assert found.reason == Reason.NO_ADDRESS


def test_an_emergency_plan_may_not_rest_on_it(wedding: Wedding) -> None:
    alone = Plan(organization=wedding.organization, category="emergencies", steps=[{"channels": [PUSH.value]}])
    with pytest.raises(ValidationError, match="Web Push"):
        alone.clean()

    Plan(organization=wedding.organization, category="payments", steps=[{"channels": [PUSH.value]}]).clean()
    plan_steps.parse([{"channels": [PUSH.value, "email"]}], "emergencies")


def test_the_morning_check_counts_nobody_as_reached_by_it(wedding: Wedding, anna: Contact) -> None:
    Address.objects.all().delete()
    Contact.objects.filter(id=anna.id).update(email="")

    reached, gaps = reach_checks.whom_we_reach(wedding)

    assert reached == []
    assert any(anna.name in gap and "cannot be reached" in gap for gap in gaps)


def test_a_step_of_an_incident_that_reaches_only_browsers_is_skipped(wedding: Wedding, anna: Contact) -> None:
    Address.objects.all().delete()
    Contact.objects.filter(id=anna.id).update(email="", call_order=1)
    to_people(wedding)
    emergency(wedding)
    incident = Incident.objects.get()
    Incident.objects.filter(id=incident.id).update(next_step_at=timezone.now() - timedelta(seconds=1))
    escalation.escalate(incident.id)

    incident.refresh_from_db()
    assert incident.ended_at is not None, "no step had anybody to tell"
