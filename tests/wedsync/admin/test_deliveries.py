"""Staff send deliveries again and call them off, one or many, inside their organization."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone

from integrations.models import Delivery, DeliveryReason
from integrations.states import Reason, State
from tests import factories
from tests.wedsync.admin.conftest import House
from wedsync.weddings.models import Membership

SignIn = Callable[..., Client]
Role = Membership.Role
LIST = "/admin/integrations/delivery/"


def delivery(house: House, **rest: Any) -> Delivery:
    made: Delivery = factories.DeliveryFactory(
        **{"organization": house.organization, "state": State.DEAD, "state_reason": Reason.REFUSED} | rest
    )
    return made


def page(row: Delivery, name: str) -> str:
    return f"{LIST}{row.pk}/{name}/"


def chosen(action: str, *rows: Delivery, **answers: str) -> dict[str, Any]:
    return {"action": action, "_selected_action": [str(row.pk) for row in rows], **answers}


def hidden(answer: str) -> dict[str, Any]:
    """What the page that asks posts along."""
    found: dict[str, Any] = {}
    for name, value in re.findall(r'<input type="hidden" name="([a-z_]+)" value="([^"]*)"', answer):
        found.setdefault(name, []).append(value)
    return found


def test_resending_asks_first_and_then_makes_the_next_generation(ours: House, sign_in: SignIn) -> None:
    client, dead = sign_in(ours, role=Role.SUPPORT), delivery(ours)
    reason = factories.ReasonFactory(delivery=dead)

    assert client.get(page(dead, "resend")).status_code == 200
    assert Delivery.objects.filter(event=dead.event).count() == 1
    client.post(page(dead, "resend"), {"post": "yes"})

    again = Delivery.objects.get(event=dead.event, generation=1)
    assert (again.state, again.attempt_count, again.request, again.target) == ("pending", 0, None, dead.target)
    assert DeliveryReason.objects.get(delivery=again).route == reason.route
    dead.refresh_from_db()
    assert dead.state == State.DEAD, "what happened stays what happened"


def test_pressed_twice_it_goes_out_once(ours: House, sign_in: SignIn) -> None:
    client, dead = sign_in(ours), delivery(ours)

    for _ in range(2):
        client.post(page(dead, "resend"), {"post": "yes"})

    assert Delivery.objects.filter(event=dead.event).count() == 2


@pytest.mark.parametrize("state", [State.PENDING, State.SCHEDULED, State.HELD])
def test_what_waits_can_be_called_off(ours: House, sign_in: SignIn, state: State) -> None:
    waiting = delivery(ours, state=state, state_reason="")

    sign_in(ours).post(page(waiting, "cancel"), {"post": "yes"})

    waiting.refresh_from_db()
    assert (waiting.state, waiting.state_reason) == (State.CANCELLED, Reason.BY_STAFF)


def test_an_address_that_opted_out_since_gets_nothing_again(ours: House, sign_in: SignIn) -> None:
    contact = factories.ContactFactory(organization=ours.organization)
    address = factories.AddressFactory(organization=ours.organization, channel="email", value=contact.email)
    sent = delivery(ours, state=State.SUCCEEDED, contact=contact, channel="email", target=contact.email)
    address.opted_out_at = address.consented_at
    address.save()

    answer = sign_in(ours).post(page(sent, "resend"), {"post": "yes"}, follow=True)

    assert "address must not be used" in answer.content.decode()
    assert Delivery.objects.filter(event=sent.event).count() == 1


def test_many_are_counted_before_they_are_sent_again(ours: House, sign_in: SignIn) -> None:
    client = sign_in(ours)
    dead, waiting = [delivery(ours) for _ in range(3)], delivery(ours, state=State.PENDING, state_reason="")

    asked = client.post(LIST, chosen("resend_selected", *dead, waiting)).content.decode()
    assert "Resend 3 deliveries" in asked
    assert not Delivery.objects.filter(generation=1).exists()
    client.post(LIST, hidden(asked))

    assert {row.event_id for row in Delivery.objects.filter(generation=1)} == {row.event_id for row in dead}
    assert LogEntry.objects.filter(object_id=str(dead[0].id), change_message__contains="Resend").exists()


def test_many_are_called_off(ours: House, sign_in: SignIn) -> None:
    client = sign_in(ours)
    waiting = [delivery(ours, state=State.HELD, state_reason=Reason.BREAKER_OPEN) for _ in range(3)]

    client.post(LIST, hidden(client.post(LIST, chosen("cancel_selected", *waiting)).content.decode()))

    assert set(Delivery.objects.values_list("state", flat=True).filter(id__in=[row.id for row in waiting])) == {
        "cancelled"
    }


@pytest.mark.parametrize("name", ["resend", "cancel"])
def test_deliveries_of_others_are_out_of_reach(ours: House, theirs: House, sign_in: SignIn, name: str) -> None:
    client = sign_in(ours)
    other = delivery(theirs, state=State.DEAD if name == "resend" else State.PENDING)

    assert client.post(page(other, name), {"post": "yes"}).status_code in {302, 404}
    client.post(LIST, chosen(f"{name}_selected", other, answered="yes", newest=str(other.id)))

    other.refresh_from_db()
    assert other.state == (State.DEAD if name == "resend" else State.PENDING)
    assert Delivery.objects.filter(event=other.event).count() == 1


def test_planners_only_look(ours: House, sign_in: SignIn) -> None:
    dead = delivery(ours)

    assert sign_in(ours, role=Role.PLANNER).post(page(dead, "resend"), {"post": "yes"}).status_code == 404
    assert Delivery.objects.filter(event=dead.event).count() == 1


def test_a_scheduled_delivery_is_tried_now_and_only_such(ours: House, sign_in: SignIn) -> None:
    client, later = sign_in(ours, role=Role.SUPPORT), timezone.now() + timedelta(hours=2)
    rows = {
        state: delivery(ours, state=state, state_reason="", next_attempt_at=later)
        for state in (State.SCHEDULED, State.HELD, State.DEAD)
    }

    for row in rows.values():
        client.post(page(row, "try-now"), {"post": "yes"})

    due = {state for state, row in rows.items() if Delivery.objects.get(pk=row.pk).next_attempt_at <= timezone.now()}
    assert due == {State.SCHEDULED}
    assert Delivery.objects.get(pk=rows[State.SCHEDULED].pk).state == State.SCHEDULED
