"""Text messages through real workers and Twilio's signed callbacks: the fallback in an emergency, statuses, STOP."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from integrations.models import Connection, Delivery, Route
from integrations.states import Outcome, State
from notifications.models import Incident, Message, Plan, TraceEntry
from tests.factories import AddressFactory, ConnectionFactory, SystemFactory
from tests.live.test_callbacks import replace
from tests.live.world import World
from tests.polling import until
from wedsync.weddings.models import Address

TOKEN = "fedcba9876543210" * 2
NUMBER = "+12025550198"


@pytest.fixture
def texting(world: World) -> Iterator[World]:
    """The world's people have agreed to text messages, and Twilio calls back at a door of its own."""
    account = {"account_sid": f"AC{world.organization.id.hex}", "auth_token": TOKEN}
    world.systems["sms"] = SystemFactory(
        organization=world.organization,
        name="sms",
        kind="sms",
        base_url=f"{world.product.sandbox_url}/twilio",
        credentials={**account, "sender": NUMBER},
    )
    door: Connection = ConnectionFactory(organization=world.organization, system=world.systems["sms"], secret=TOKEN)
    for person in world.people.values():
        AddressFactory(organization=world.organization, channel="sms", value=person.phone)
    file = world.product.home / "sandbox.json"
    before = file.read_text()
    told = f"{world.product.base_url}/api/webhooks/providers/twilio/{door.id}"
    twilio = {"accounts": [{**account, "numbers": [NUMBER], "callback_url": told}]}
    replace(file, json.dumps(json.loads(before) | {"twilio": twilio}))
    yield world
    replace(file, before)


def texts(world: World) -> list[dict[str, Any]]:
    """What Twilio has taken for this world, oldest first."""
    phones = {person.phone for person in world.people.values()}
    return [message for message in world.product.messages("twilio") if message["to"] in phones]


def deliveries(world: World) -> Any:
    return Delivery.objects.filter(organization=world.organization, channel="sms")


def plan(world: World) -> None:
    """WhatsApp first; a text message where that cannot get there."""
    steps = [{"channels": ["whatsapp", "slack"], "until": "read"}, {"channels": ["sms"], "until": "delivered"}]
    Plan.objects.create(organization=world.organization, category="emergencies", steps=steps)
    Route.objects.filter(organization=world.organization, name="Emergency: everyone").update(channels=["whatsapp"])


def test_an_emergency_that_whatsapp_refuses_goes_by_text_and_is_acknowledged_by_its_link(texting: World) -> None:
    plan(texting)
    texting.product.fault("whatsapp", "status", status=400, code=131026)

    assert texting.emergency().status_code == 202

    until(lambda: len(texts(texting)) >= len(texting.people), 15, what="a text message to everyone")
    messages = Message.objects.filter(organization=texting.organization, channel="sms")
    until(lambda: not messages.exclude(status="delivered").exists(), 15, what="Twilio's statuses")
    assert all(message["view"]["segments"] <= 3 for message in texts(texting))
    trace = TraceEntry.objects.filter(organization=texting.organization, channel="sms")
    assert trace.filter(what="fell_back", text__contains="now by SMS").count() == len(texting.people)
    assert trace.filter(what="sent", text__contains="segment").count() == len(texting.people)
    assert trace.filter(what="status", text__contains="delivered").count() == len(texting.people)

    asked = next(message for message in texts(texting) if "/acknowledge/" in message["text"])
    link = asked["text"].split()[-1]
    page = requests.get(link, timeout=10)
    assert page.status_code == 200, urlsplit(link).path
    with requests.Session() as person:
        form = person.get(link, timeout=10).text
        csrf = form.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
        taken = person.post(link, data={"csrfmiddlewaretoken": csrf}, headers={"Referer": link}, timeout=10)
    assert taken.ok, taken.status_code
    incident = Incident.objects.filter(organization=texting.organization)
    until(lambda: incident.filter(state="acknowledged").exists(), what="the acknowledgement")


def test_a_text_whose_answer_is_lost_is_known_by_its_signed_status_and_not_sent_again(texting: World) -> None:
    plan(texting)
    texting.product.fault("whatsapp", "status", status=400, code=131026)
    texting.product.fault("twilio", "silent_close", after=True, count=1)

    texting.emergency()

    until(lambda: len(texts(texting)) >= len(texting.people), 15, what="a text message to everyone")
    unknown = deliveries(texting).filter(attempts__outcome=Outcome.UNKNOWN)
    until(lambda: unknown.filter(state=State.SUCCEEDED).exists(), 15, what="its being known as sent")
    row = unknown.get()
    assert (row.attempt_count, row.may_duplicate) == (1, False)
    assert row.message.provider_id.startswith("SM")
    assert len(texts(texting)) == len(texting.people)


def test_without_a_status_a_text_of_unknown_outcome_is_sent_once_more_and_marked(texting: World) -> None:
    plan(texting)
    texting.product.fault("whatsapp", "status", status=400, code=131026)
    texting.product.fault("twilio", "silent_close", count=1)

    texting.emergency()

    unknown = deliveries(texting).filter(attempts__outcome=Outcome.UNKNOWN)
    until(lambda: unknown.filter(state=State.SUCCEEDED).exists(), 20, what="the second try")
    assert unknown.get().may_duplicate
    assert len(texts(texting)) == len(texting.people)


def test_stop_and_start_that_people_write_to_twilio_count_here(texting: World) -> None:
    phone = texting.people["couple"].phone
    rows = Address.objects.filter(organization=texting.organization, channel="sms", value=phone)

    def write(text: str) -> None:
        said = {"service": "twilio", "from": phone, "text": text}
        answer = requests.post(f"{texting.product.sandbox_url}/_/replies", json=said, timeout=10)
        assert answer.json() == {"callback_status": 200}

    write("STOP")
    until(rows.filter(opted_out_at__isnull=False).exists, what="the opt-out")
    plan(texting)
    texting.product.fault("whatsapp", "status", status=400, code=131026)
    texting.emergency()
    until(lambda: len(texts(texting)) == len(texting.people) - 1, 15, what="texts to the others")
    assert phone not in {message["to"] for message in texts(texting)}
    assert not deliveries(texting).filter(target=phone, state=State.SUCCEEDED).exists()

    write("START")
    until(rows.filter(opted_out_at=None, consent_source__startswith="wrote START on SMS").exists, what="the consent")
