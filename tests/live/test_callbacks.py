"""From the sandbox's signed callbacks, and its handshake, to rows: through a real web process."""

import hmac
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from integrations.models import Connection
from notifications.models import Message
from tests.factories import ConnectionFactory, ConnectionSecretFactory
from tests.live.world import World
from tests.polling import until
from tests.webhooks.callbacks import bodies
from webhooks.models import ProviderNotice, Receipt
from wedsync.weddings.models import Address

SVIX_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NUMBER = "106540352299999"
BUTTON = {"type": "button", "text": {"type": "plain_text", "text": "Got it"}, "action_id": "ack", "value": "ACK:1"}


@pytest.fixture
def calling(world: World) -> Iterator[World]:
    """The sandbox's accounts call back at doors of this world, and at nobody's afterwards."""
    file = world.product.home / "sandbox.json"
    before = file.read_text()
    config = json.loads(before)
    number = config["whatsapp"]["accounts"][0] | {"phone_number_id": NUMBER, "access_token": "EAAGcalling"}
    door = open_door(world, "whatsapp", number["app_secret"])
    ConnectionSecretFactory(connection=door, text=number["verify_token"], purpose="handshake")
    config["whatsapp"]["accounts"].append(number | {"callback_url": url(world, "whatsapp", door)})
    mail = {"api_key": "re_calling", "domains": ["wedsync.example"], "webhook_secret": SVIX_SECRET}
    mail["callback_url"] = url(world, "resend", open_door(world, "email", SVIX_SECRET))
    config["resend"]["accounts"].append(mail)
    config["slack"]["callback_url"] = url(world, "slack", open_door(world, "slack", config["slack"]["signing_secret"]))
    replace(file, json.dumps(config))
    yield world
    replace(file, before)


def replace(file: Path, content: str) -> None:
    draft = file.with_suffix(".draft")
    draft.write_text(content)
    draft.replace(file)


def open_door(world: World, kind: str, secret: str) -> Connection:
    door: Connection = ConnectionFactory(organization=world.organization, system=world.systems[kind], secret=secret)
    return door


def url(world: World, provider: str, door: Connection) -> str:
    return f"{world.product.base_url}/api/webhooks/providers/{provider}/{door.id}"


def told(world: World, provider_id: str, count: int) -> list[ProviderNotice]:
    """The notices about one message, once there are so many."""

    def look() -> list[ProviderNotice] | None:
        found = ProviderNotice.objects.filter(organization=world.organization, provider_id=provider_id)
        return list(found.order_by("occurred_at", "id")) if found.count() >= count else None

    return until(look, what=f"{count} notices")


def post(world: World, path: str, body: dict[str, Any], token: str = "") -> requests.Response:
    headers = {"Authorization": f"Bearer {token}", "User-Agent": "tests"}
    answer = requests.post(f"{world.product.sandbox_url}{path}", json=body, headers=headers, timeout=10)
    assert answer.ok, answer.text
    return answer


def test_whatsapps_statuses_and_replies_arrive_after_its_handshake(calling: World) -> None:
    person = calling.people["couple"].phone
    opened = {"service": "whatsapp", "from": person, "phone_number_id": NUMBER, "text": "Is the hall dry?"}
    assert post(calling, "/_/replies", opened).json() == {"callback_status": 200}
    body = {"messaging_product": "whatsapp", "to": person, "type": "text", "text": {"body": "It is."}}
    sent = post(calling, f"/whatsapp/v26.0/{NUMBER}/messages", body, "EAAGcalling").json()

    notices = told(calling, sent["messages"][0]["id"], 2)

    assert {(notice.kind, notice.name) for notice in notices} == {("status", "sent"), ("status", "delivered")}
    assert {notice.data["metadata"]["phone_number_id"] for notice in notices} == {NUMBER}
    question = ProviderNotice.objects.get(organization=calling.organization, kind="message")
    assert question.data["text"] == {"body": "Is the hall dry?"}
    assert set(Receipt.objects.filter(notices__in=notices).values_list("verdict", flat=True)) == {"accepted"}


def test_resends_events_arrive_each_once(calling: World) -> None:
    mail = {"from": "a@wedsync.example", "to": ["bounced@resend.dev"], "subject": "New times", "text": "16:00"}
    email_id = post(calling, "/resend/emails", mail, "re_calling").json()["id"]

    notices = told(calling, email_id, 2)

    assert {notice.name for notice in notices} == {"email.sent", "email.bounced"}
    (bounced,) = (notice for notice in notices if notice.name == "email.bounced")
    assert bounced.data["data"]["bounce"]["type"] == "Permanent"


def test_a_pressed_slack_button_arrives_without_slacks_token(calling: World) -> None:
    path = calling.systems["slack"].credentials["webhook_path"]
    actions = {"type": "actions", "block_id": "b1", "elements": [BUTTON]}
    post(calling, f"/slack/services/{path}", {"text": "Power is out", "blocks": [actions]})
    (message,) = until(lambda: calling.product.messages("slack", calling.slack_channel))
    press = {"service": "slack", "message": message["id"], "action_id": "ack"}

    assert post(calling, "/_/replies", press).json() == {"callback_status": 200}

    (pressed,) = ProviderNotice.objects.filter(organization=calling.organization, kind="interaction")
    assert (pressed.name, pressed.data["actions"][0]["value"]) == ("block_actions", "ACK:1")
    assert pressed.provider_id == pressed.data["message"]["ts"]
    assert "token" not in pressed.data


def sign_and_post(world: World, door: Connection, body: bytes) -> None:
    signature = hmac.new(b"app", body, "sha256").hexdigest()
    headers = {"Content-Type": "application/json", "X-Hub-Signature-256": f"sha256={signature}"}
    answer = requests.post(url(world, "whatsapp", door), data=body, headers=headers, timeout=10)
    assert answer.status_code == 200, answer.text


def test_a_posted_status_soon_changes_its_message_and_stop_its_address(world: World) -> None:
    door, phone = open_door(world, "whatsapp", "app"), world.people["couple"].phone
    world.capacity(180)
    messages = Message.objects.filter(organization=world.organization, address=phone)
    message = until(lambda: messages.exclude(provider_id="").first(), what="a message that was taken")
    now = int(time.time())

    sign_and_post(world, door, bodies.statuses(bodies.status(message.provider_id, "read", now)))
    stop = bodies.text_message("wamid.stop", "Stopp!", timestamp=str(now), **{"from": phone[1:]})
    sign_and_post(world, door, bodies.whatsapp(bodies.messages(messages=[stop])))

    assert until(lambda: messages.filter(id=message.id, status="read").first(), what="read").read_at
    stopped = Address.objects.filter(organization=world.organization, value=phone, opted_out_at__isnull=False)
    until(stopped.exists, what="the opt-out")
    assert not ProviderNotice.objects.filter(connection=door, taken_at=None).exists()
