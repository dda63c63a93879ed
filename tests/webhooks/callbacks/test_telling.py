"""What each provider's own words change, once they are taken."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from integrations.models import Delivery, System
from notifications import links
from notifications.models import Incident, TraceEntry
from tests.notifications.incidents.emergencies import set_stage
from tests.webhooks.callbacks import bodies
from tests.webhooks.callbacks.noticed import (
    EMAIL_ID,
    MAIL,
    PHONE,
    SENT_AT,
    a_message,
    address,
    door_of,
    now_of,
    row,
    told,
)
from webhooks.callbacks.applying import apply_one, apply_waiting
from webhooks.models import ProviderNotice
from wedsync.queues import Priority
from wedsync.weddings.models import Address

pytestmark = pytest.mark.django_db
URGENT, HIGH = Priority.URGENT, Priority.HIGH


@pytest.mark.parametrize(
    ("code", "marked"),
    [(131026, "bounced_at"), (131050, "opted_out_at"), (131047, "window_closed_at"), (131000, ""), ("x", "")],
)
def test_metas_codes_mark_the_address(code: object, marked: str) -> None:
    door = door_of("whatsapp")
    message = a_message(door)
    errors = [{"code": code, "title": "Title", "error_data": {"details": "Details of it"}}]
    told(door, bodies.statuses(bodies.status(name="failed", errors=errors)))

    apply_waiting(door.id, HIGH)

    message = now_of(message)
    why = "WhatsApp gives no reason" if code == "x" else f"WhatsApp {code}"
    assert (message.status, message.failure) == ("failed", f"{why}: Details of it")
    fields = {"bounced_at", "opted_out_at", "window_closed_at"}
    if not marked:
        assert not Address.objects.exists()
        return
    found = address(message)
    assert {name: getattr(found, name) for name in fields} == dict.fromkeys(fields) | {marked: SENT_AT}


@pytest.mark.parametrize("errors", [None, [], {}, "x", [1], [{"code": None}], [{"code": [1]}], [{"error_data": 1}]])
def test_a_failure_without_a_reason_is_one_all_the_same(errors: object) -> None:
    door = door_of("whatsapp")
    message = a_message(door)
    told(door, bodies.statuses(bodies.status(name="failed", errors=errors)))

    apply_waiting(door.id, HIGH)

    assert (now_of(message).status, now_of(message).failure) == ("failed", "WhatsApp gives no reason")


def test_a_providers_clock_that_is_ahead_counts_as_ours() -> None:
    door = door_of("whatsapp")
    message = a_message(door)
    (notice,) = told(door, bodies.statuses(bodies.status(at=4_000_000_000)))

    apply_waiting(door.id, HIGH)

    assert now_of(message).delivered_at == row(notice).received_at


@pytest.mark.parametrize(
    ("name", "data", "status", "marks", "failure"),
    [
        ("email.sent", {}, "sent", set(), ""),
        ("email.delivered", {}, "delivered", set(), ""),
        ("email.opened", {}, "read", set(), ""),
        ("email.clicked", {"click": {"link": "https://x.example"}}, "read", set(), ""),
        (
            "email.bounced",
            {"bounce": {"type": "Permanent", "subType": "General", "message": "No such box"}},
            "failed",
            {"bounced_at"},
            "bounced General: No such box",
        ),
        ("email.bounced", {"bounce": {"type": "Transient", "message": "Box is full"}}, "queued", set(), ""),
        ("email.complained", {}, "queued", {"complained_at"}, ""),
        ("email.delivery_delayed", {}, "queued", set(), ""),
        (
            "email.suppressed",
            {"suppressed": {"message": "Bounced before", "type": "OnAccountSuppressionList"}},
            "failed",
            {"bounced_at"},
            "suppressed: Bounced before",
        ),
        (
            "email.suppressed",
            {"suppressed": {"message": "Complained before", "reason": "previous_complaint"}},
            "failed",
            {"complained_at"},
            "suppressed: Complained before",
        ),
        ("email.failed", {"failed": {"reason": "reached_daily_quota"}}, "failed", set(), "failed: reached_daily_quota"),
        ("email.scheduled", {}, "queued", set(), ""),
    ],
)
def test_resends_events(name: str, data: dict[str, Any], status: str, marks: set[str], failure: str) -> None:
    door = door_of("email")
    message = a_message(door, EMAIL_ID)
    (notice,) = told(door, bodies.resend(name, **data), received_at=timezone.now())

    apply_waiting(door.id, HIGH)

    message = now_of(message)
    assert (message.status, message.failure) == (status, failure)
    for field in ("bounced_at", "complained_at"):
        assert bool(getattr(message, field)) == (field in marks)
        assert Address.objects.filter(value=MAIL, **{f"{field}__isnull": False}).exists() == (field in marks)
    assert row(notice).taken_at
    assert not row(notice).taken_error


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"name": "email.bounced", "bounce": {"type": "Transient", "message": "Full"}}, "bounced: Full (temporary)"),
        ({"name": "email.delivery_delayed"}, "delivery is delayed and will be retried"),
    ],
)
def test_what_does_not_end_a_mail_is_traced_for_staff(body: dict[str, Any], text: str) -> None:
    door = door_of("email")
    message = a_message(door, EMAIL_ID)
    told(door, bodies.resend(**body))

    apply_waiting(door.id, HIGH)

    assert TraceEntry.objects.get(delivery=message.delivery).text == f"Email: {text}."


def test_a_received_mail_and_what_has_no_word_are_done_without_effect() -> None:
    mail, phone = door_of("email"), door_of("whatsapp")
    notices = told(mail, bodies.resend("email.received", **{"from": MAIL}))
    notices += told(phone, bodies.whatsapp({"field": "account_update", "value": {"event": "x"}}))
    notices += told(phone, bodies.statuses(bodies.status(name="warning")))

    assert [apply_one(notice.id) for notice in notices] == [True] * 3

    assert all(row(notice).taken_at and not row(notice).taken_error for notice in notices)


def test_stop_and_start_by_whatsapp() -> None:
    door = door_of("whatsapp")

    def say(words: str, at: int, **more: Any) -> Address:
        said = bodies.text_message(f"wamid.{at}", words, timestamp=str(at), **more)
        told(door, bodies.whatsapp(bodies.messages(messages=[said])))
        apply_waiting(door.id, URGENT)
        return Address.objects.get(organization=door.organization, value=PHONE)

    assert say("STOP", 1750857390).blocked_because == "opted_out"
    assert say("start", 1750857380).blocked_because == "opted_out"
    assert say("start", 1750857399).blocked_because == ""
    button = {"button": {"text": "Stop", "payload": "Stop"}}
    assert say("", 1750857400, type="button", **button).blocked_because == "opted_out"


def test_whatsapps_own_messages_are_no_persons() -> None:
    door = door_of("whatsapp")
    told(door, bodies.whatsapp(bodies.messages(messages=[bodies.text_message(text="STOP", type="system")])))

    assert apply_waiting(door.id, URGENT) == 1

    assert not Address.objects.exists()


def quick_reply(token: str) -> dict[str, Any]:
    return bodies.text_message(text="", type="button", button={"text": "I take care of it", "payload": token})


@pytest.mark.parametrize("where", ["here", "elsewhere"])
@pytest.mark.parametrize("kind", ["whatsapp", "slack"])
def test_a_pressed_button_acknowledges_within_its_organization(kind: str, where: str) -> None:
    stage = set_stage()
    stage.report()
    here = System.objects.get(organization=stage.wedding.organization, kind=kind)
    door = door_of(kind, here if where == "here" else None)
    asked = Delivery.objects.filter(organization=stage.wedding.organization, channel=kind).order_by("id").first()
    assert asked
    token = links.acknowledge_token(asked.id)
    body: dict[str, Callable[[], bytes]] = {
        "whatsapp": lambda: bodies.whatsapp(bodies.messages(messages=[quick_reply(token)])),
        "slack": lambda: bodies.slack(
            actions=[{"action_id": "other", "value": "x"}, {"action_id": "acknowledge", "value": token}]
        ),
    }
    told(door, body[kind]())

    assert apply_waiting(door.id, URGENT) == 1

    incident = Incident.objects.get(organization=stage.wedding.organization)
    by = {"whatsapp": (PHONE, "WhatsApp"), "slack": ("clara", "Slack")}[kind]
    expected = ("acknowledged", *by) if where == "here" else ("open", "", "")
    assert (incident.state, incident.acknowledged_by, incident.acknowledged_via) == expected


def test_slacks_strange_presses_do_nothing() -> None:
    door = door_of("slack")
    for number, actions in enumerate([None, {}, ["x"], [{"action_id": "acknowledge", "value": 5}], []]):
        told(door, bodies.slack(actions=actions, number=number))

    assert apply_waiting(door.id, URGENT) == 5

    assert not ProviderNotice.objects.filter(taken_at=None).exists()
    assert not ProviderNotice.objects.exclude(taken_error="").exists()
