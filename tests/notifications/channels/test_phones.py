"""WhatsApp and Slack as the sandbox plays them, over HTTP: what arrives."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
import requests
from django.utils import timezone

from integrations.models import System
from notifications.models import Message
from tests.factories import SystemFactory
from tests.notifications.channels.phones import OUTAGE, PERSON, happened, on, person, to_couple, work
from tests.sandbox.sandbox_peer import Peer
from wedsync.weddings.models import Address, AddressAlias, Wedding

pytestmark = pytest.mark.django_db(transaction=True)

EVIL = "<script>alert(1)</script> <!channel> {{7*7777777}} \n\t & " + "x" * 10_000 + " שלום 🎉"


def test_whom_wrote_lately_gets_free_text_and_others_a_template(wedding: Wedding, outside: Peer) -> None:
    person(wedding)
    to_couple(wedding)
    work(happened(wedding))
    Address.objects.filter(channel="whatsapp").update(last_inbound_at=timezone.now() - timedelta(hours=1))
    requests.post(f"{outside.url}/_/replies", json={"service": "whatsapp", "from": PERSON, "text": "Hi"}, timeout=5)
    work(happened(wedding))

    first, second = (message["body"]["type"] for message in outside.messages("whatsapp"))
    assert (first, second) == ("template", "text")


@pytest.mark.parametrize(
    ("phone", "known_as"), [("+5511987654321", "551187654321"), ("+525512345678", "5215512345678")]
)
def test_the_form_in_which_whatsapp_knows_a_phone_is_remembered(
    wedding: Wedding, outside: Peer, phone: str, known_as: str
) -> None:
    person(wedding, phone)
    to_couple(wedding)

    work(happened(wedding))

    (message,) = outside.messages("whatsapp")
    assert message["to"] == f"+{known_as}"
    assert AddressAlias.objects.get(address__value=phone).alias == known_as


def test_slack_404_disables_that_url_and_staff_get_a_mail(wedding: Wedding, outside: Peer) -> None:
    team = System.objects.get(kind="slack")
    other = SystemFactory(organization=wedding.organization, kind="slack", name="#other")
    to_couple(wedding, roles=[], system=team)
    outside.fault("slack", "status", code="no_service")
    event = happened(wedding)

    work(event)

    team.refresh_from_db()
    other.refresh_from_db()
    assert (team.state, other.state) == ("disabled", "active")
    mail = on(event, "email")
    assert (mail.state, mail.target) == ("succeeded", "owner@people.example")


def test_who_is_asked_gets_buttons_that_carry_a_token_and_rows_hold_none(wedding: Wedding, outside: Peer) -> None:
    person(wedding, call_order=1)
    to_couple(wedding, channels=["whatsapp"])
    to_couple(wedding, roles=[], system=System.objects.get(kind="slack"), name="team")
    event = happened(wedding, "venue.emergency_reported", OUTAGE)

    work(event)

    (phone,) = outside.messages("whatsapp")
    (slack,) = outside.messages("slack")
    whatsapp_row, slack_row = on(event, "whatsapp"), on(event, "slack")
    from notifications import links

    payload = phone["body"]["template"]["components"][1]["parameters"][0]["payload"]
    button = next(block for block in slack["body"]["blocks"] if block["type"] == "actions")["elements"][0]
    assert links.read_acknowledge_token(payload) == whatsapp_row.id
    assert links.read_acknowledge_token(button["value"]) == slack_row.id
    assert slack["body"]["text"].startswith("<!channel> ")
    assert (slack["body"]["unfurl_links"], slack["body"]["unfurl_media"]) == (False, False)
    for row, token in ((whatsapp_row, payload), (slack_row, button["value"])):
        assert token not in json.dumps(row.request)


@pytest.mark.parametrize("length", [300, 800, 10_000])
def test_a_number_to_call_stays_whole_however_long_the_report_is(wedding: Wedding, outside: Peer, length: int) -> None:
    person(wedding)
    to_couple(wedding, channels=["whatsapp"])
    report = {**OUTAGE, "description": "dark " * (length // 5), "contact_phone": "+12025550104"}

    work(happened(wedding, "venue.emergency_reported", report))
    Address.objects.filter(channel="whatsapp").update(last_inbound_at=timezone.now() - timedelta(hours=1))
    requests.post(f"{outside.url}/_/replies", json={"service": "whatsapp", "from": PERSON, "text": "Hi"}, timeout=5)
    work(happened(wedding, "venue.capacity_updated", {"capacity": 9, "reason": "x" * length, "previous": 8}))

    template, text = outside.messages("whatsapp")
    assert "Call: +12025550104" in template["text"]
    assert "Wedding: Anna & Ben" in template["text"]
    assert len(template["text"]) <= 1024
    assert text["body"]["type"] == "text"
    assert "Capacity: 150 → 9" in text["text"]
    assert len(text["text"]) <= 4096


def test_hostile_words_arrive_harmless_and_legible(wedding: Wedding, outside: Peer) -> None:
    person(wedding, name="Anna Gruber")
    to_couple(wedding, channels=["whatsapp"])
    to_couple(wedding, roles=[], system=System.objects.get(kind="slack"), name="team")
    payload = {"capacity": 180, "previous": 150, "reason": EVIL}

    work(happened(wedding, "venue.capacity_updated", payload))

    (phone,) = outside.messages("whatsapp")
    (slack,) = outside.messages("slack")
    assert "7*7777777" in phone["text"]
    assert "54444439" not in phone["text"]
    assert len(phone["text"]) <= 1024
    said = json.dumps(slack["body"], ensure_ascii=False)
    assert "<!channel>" not in said
    assert "<script>" not in said
    assert "180" in said
    assert Message.objects.filter(status__in=["sent", "queued"]).count() == 2
