"""Text messages as the sandbox plays Twilio, over HTTP: what goes out, and what each error leads to."""

from __future__ import annotations

import json
from typing import Any

import pytest

from integrations import errors
from integrations.models import Attempt, Delivery, System
from integrations.outbound import Response
from integrations.systems import trials
from integrations.systems.trials import TrialResult
from notifications.channels.registry import CHANNELS
from notifications.channels.sms.errors import error_for
from notifications.models import Message
from tests.factories import ConnectionFactory
from tests.notifications.channels.phones import PERSON, happened, work
from tests.notifications.channels.texting import ACCOUNT, dispatch_once, reader, sent, told
from tests.sandbox.sandbox_peer import TWILIO_NUMBER, TWILIO_SERVICE, TWILIO_TOKEN, Peer
from wedsync.weddings.models import Address, Wedding

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_goes_out_as_a_form_and_its_cost_is_in_the_trace(texted: Wedding, outside: Peer) -> None:
    reader(texted)
    event = happened(texted)

    work(event)

    (message,) = outside.messages("twilio")
    assert message["body"] == {"To": PERSON, "From": TWILIO_NUMBER, "Body": message["text"]}
    row = sent(event)
    assert (row.state, row.message.provider_id) == ("succeeded", message["provider_id"])
    assert f"in {message['view']['segments']} segment" in told(event, "sent")
    assert message["view"]["encoding"] in told(event, "sent")
    assert TWILIO_TOKEN not in json.dumps(row.request)


def test_a_connection_is_named_for_statuses_with_the_deliverys_key(
    texted: Wedding, sms: System, outside: Peer, settings: Any
) -> None:
    reader(texted)
    door = ConnectionFactory(organization=sms.organization, system=sms)
    event = happened(texted)

    work(event)

    expected = f"{settings.PUBLIC_URL}/api/webhooks/providers/twilio/{door.id}?key={sent(event).id}"
    assert outside.messages("twilio")[0]["body"]["StatusCallback"] == expected


@pytest.mark.parametrize(
    ("changed", "field"),
    [({"sender": TWILIO_SERVICE}, "MessagingServiceSid"), ({"api_key_sid": "SK1", "auth_token": "key-secret"}, "From")],
)
def test_a_messaging_service_and_an_api_key_count_too(
    texted: Wedding, sms: System, outside: Peer, changed: dict[str, str], field: str
) -> None:
    sms.seal_credentials({**ACCOUNT, **changed})
    sms.save()
    reader(texted)
    event = happened(texted)

    work(event)

    assert sent(event).state == "succeeded"
    assert field in outside.messages("twilio")[0]["body"]


@pytest.mark.parametrize(
    ("code", "state", "mark", "system_state"),
    [
        (21211, "dead", "bounced_at", "active"),
        (21614, "dead", "bounced_at", "active"),
        (21610, "dead", "opted_out_at", "active"),
        (21612, "dead", "", "active"),
        (21408, "dead", "", "active"),
        (20429, "scheduled", "", "active"),
        (20003, "held", "", "paused"),
        (21659, "scheduled", "", "active"),
        (20500, "scheduled", "", "active"),
    ],
)
def test_each_code_leads_where_it_belongs(
    texted: Wedding, sms: System, outside: Peer, code: int, state: str, mark: str, system_state: str
) -> None:
    reader(texted)
    outside.fault("twilio", "status", code=code, count=1)
    event = happened(texted)

    dispatch_once(sent(event))

    row = sent(event)
    assert row.state == state, Attempt.objects.filter(delivery=row).values_list("error", flat=True)
    assert str(code) in row.attempts.get().error or code == 20500
    address = Address.objects.get(channel="sms")
    marks = {name for name in ("bounced_at", "opted_out_at") if getattr(address, name)}
    assert marks == ({mark} if mark else set())
    sms.refresh_from_db()
    assert sms.state == system_state


@pytest.mark.parametrize("code", [21211, 21610, 21614, 21999, 30003, 30004, 30005, 30006, 30007, 30999])
def test_facts_of_one_recipient_count_neither_for_breaker_nor_for_health(code: int) -> None:
    error = error_for(code)

    assert isinstance(error, errors.RecipientRefused)
    assert not error.counts_for_breaker
    assert not error.counts_for_health
    assert str(code) in str(error)


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (429, b'{"code":20429}', errors.Throttled),
        (429, b"", errors.Throttled),
        (400, b'{"code":20429}', errors.Throttled),
        (401, b"", errors.CredentialsRefused),
        (401, b'{"code":20003}', errors.CredentialsRefused),
        (503, b'{"code":21610}', errors.ServerError),
        (500, b"<html>", errors.ServerError),
        (400, b'{"code":"x"}', errors.Permanent),
        (400, b'{"code":12345}', errors.Permanent),
        (400, b'{"code":21666}', errors.RecipientRefused),
    ],
)
def test_the_status_counts_before_the_code(status: int, body: bytes, error: type[Exception]) -> None:
    with pytest.raises(error) as raised:
        CHANNELS["sms"].judge(Response(status, {"retry-after": "7"}, body))
    if isinstance(raised.value, errors.Throttled):
        assert raised.value.retry_after == 7
        assert raised.value.whole_target


def test_without_consent_nothing_goes_out(texted: Wedding, outside: Peer) -> None:
    reader(texted, consented=False)
    event = happened(texted)

    work(event)

    assert outside.messages("twilio") == []
    assert told(event, "not_sent") == "SMS is not used: no consent"
    assert not Delivery.objects.filter(event=event, channel="sms").exists()


def test_the_credentials_are_tried_by_looking_the_numbers_up(sms: System, outside: Peer) -> None:
    assert trials.try_out(sms).result == TrialResult.TAKEN
    sms.seal_credentials({**ACCOUNT, "auth_token": "wrong"})
    assert trials.try_out(sms).result == TrialResult.REFUSED
    assert outside.messages("twilio") == []


def test_a_phone_that_stopped_at_twilio_is_opted_out_here(texted: Wedding, outside: Peer) -> None:
    reader(texted, "+19990021610")
    event = happened(texted)

    work(event)

    assert Address.objects.get(channel="sms").opted_out_at
    assert Delivery.objects.filter(event=event, channel="email", state="succeeded").exists()
    assert Message.objects.filter(channel="sms", provider_id="").exists()


@pytest.mark.parametrize("body", [b"<html>ok</html>", b"", b"{}", b"[]", b"[" * 50_000, b"x" * 70_000, b'{"sid":null}'])
def test_an_answer_that_accepts_it_without_an_id_is_no_refusal(body: bytes) -> None:
    assert CHANNELS["sms"].judge(Response(201, {}, body)) == ""


@pytest.mark.parametrize(
    "body", [b'{"code":1e400}', b"[" * 50_000, b'{"code":NaN}', b'{"code":%s}' % (b"9" * 5000), b"\xff"]
)
@pytest.mark.parametrize("channel", ["sms", "whatsapp"])
def test_a_refusal_with_an_odd_code_counts_by_its_status(channel: str, body: bytes) -> None:
    wrapped = body if channel == "sms" else b'{"error":' + body + b"}"

    assert CHANNELS[channel].classify(Response(400, {}, wrapped)) is None
