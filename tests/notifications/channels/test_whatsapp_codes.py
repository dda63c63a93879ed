"""Meta's codes mean the same whether they come with the answer to a send or with a status."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.errors import CredentialsRefused, TemplateRefused, WindowClosed
from integrations.models import Alert, Delivery, System
from integrations.outbound import Response
from notifications.channels.registry import CHANNELS
from notifications.channels.whatsapp.errors import MEANINGS, error_of
from tests.webhooks.callbacks import bodies
from tests.webhooks.callbacks.noticed import PHONE, a_message, door_of, told
from webhooks.callbacks.applying import apply_waiting
from wedsync.queues import Priority
from wedsync.weddings.models import Address

pytestmark = pytest.mark.django_db
MARKS = ("bounced_at", "opted_out_at", "complained_at", "window_closed_at")
TEMPLATE = {"type": "template", "template": {"name": "wedding_update", "language": {"code": "en"}}}


def effects(code: int, way: str, *, ago: float = 5) -> tuple[set[str], set[str], str]:
    """The marks on the address, the alerts' causes, and the system's state that a code leads to."""
    door = door_of("whatsapp")
    message = a_message(door)
    delivery = message.delivery
    request = {"method": "POST", "path": "/messages", "body": json.dumps(TEMPLATE), "headers": {}}
    Delivery.objects.filter(id=delivery.id).update(request=request)
    delivery.refresh_from_db()
    if way == "answer":
        error = error_of(Response(400, {}, json.dumps({"error": {"code": code}}).encode()))
        assert error
        CHANNELS["whatsapp"].failed(delivery, error)
    else:
        at = int((timezone.now() - timedelta(seconds=ago)).timestamp())
        told(door, bodies.statuses(bodies.status(name="failed", at=at, errors=[{"code": code}])))
        apply_waiting(door.id, Priority.HIGH)
    row = Address.objects.filter(organization=door.organization, value=PHONE).first()
    marks = {name for name in MARKS if row and getattr(row, name)}
    alerts = Alert.objects.filter(organization=door.organization)
    return marks, set(alerts.values_list("cause", flat=True)), System.objects.get(id=door.system_id).state


NOTED_WITH_THE_ATTEMPT = {CredentialsRefused, WindowClosed}  # see below


@pytest.mark.parametrize(
    "code", [code for code, meaning in MEANINGS.items() if meaning.error not in NOTED_WITH_THE_ATTEMPT]
)
def test_a_code_has_the_same_effect_at_once_and_by_status(code: int) -> None:
    assert effects(code, "answer") == effects(code, "status")


@pytest.mark.parametrize("way", ["answer", "status"])
@pytest.mark.parametrize(
    ("code", "mark"), [(131026, "bounced_at"), (131050, "opted_out_at"), (131047, "window_closed_at")]
)
def test_what_a_code_says_of_the_person_is_noted_at_the_address(code: int, mark: str, way: str) -> None:
    assert effects(code, way)[0] == {mark}


@pytest.mark.parametrize("code", [code for code, meaning in MEANINGS.items() if meaning.error is TemplateRefused])
@pytest.mark.parametrize("way", ["answer", "status"])
def test_a_refused_template_alerts_staff(code: int, way: str) -> None:
    assert "template_refused" in effects(code, way)[1]


@pytest.mark.parametrize("code", [190, 131031, 131042, 368])
def test_a_status_that_refuses_the_account_pauses_the_system(code: int) -> None:
    assert effects(code, "status")[1:] == ({"system_stopped"}, "paused")


@pytest.mark.parametrize("code", [131031, 132015])
def test_what_a_late_status_says_of_more_than_its_message_is_over(code: int) -> None:
    assert effects(code, "status", ago=2 * 24 * 3600)[1:] == (set(), "active")
