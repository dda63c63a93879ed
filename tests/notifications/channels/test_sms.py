"""Text messages as the sandbox plays Twilio, over HTTP: what goes out, and what each error leads to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from integrations import errors
from integrations.models import Attempt, Delivery, System
from integrations.outbound import Response
from integrations.outbound.sending import close_idle
from integrations.routing.route_event import route
from integrations.sending import dispatch
from integrations.systems import trials
from integrations.systems.trials import TrialResult
from notifications.channels.registry import CHANNELS
from notifications.channels.sms.errors import error_for
from notifications.models import Message, TraceEntry
from tests.factories import (
    ConnectionFactory,
    ContactFactory,
    NoticeFactory,
    RouteFactory,
    SystemFactory,
    WeddingFactory,
)
from tests.notifications.stored import stored
from tests.sandbox.sandbox_peer import (
    RESEND_KEY,
    TWILIO_NUMBER,
    TWILIO_SID,
    TWILIO_TOKEN,
    Peer,
    configuration,
    running,
)
from wedsync.live.models import ChannelEvent
from wedsync.weddings.models import Address, Contact, Wedding

pytestmark = pytest.mark.django_db(transaction=True)
PERSON = "+12025550101"
ACCOUNT = {"account_sid": TWILIO_SID, "auth_token": TWILIO_TOKEN, "sender": TWILIO_NUMBER}
_BOTH = ["sms", "email"]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    home = tmp_path_factory.mktemp("sms-home")
    (home / "sandbox.json").write_text(json.dumps(configuration()))
    with running(Path(home)) as peer:
        yield peer
    close_idle()


@pytest.fixture
def outside(shared: Peer, settings: Any) -> Peer:
    settings.OUTBOUND_ALLOW = [f"127.0.0.1/32:{shared.port}"]
    shared.forget()
    return shared


@pytest.fixture
def system(outside: Peer) -> System:
    wedding = WeddingFactory()
    made: System = SystemFactory(
        organization=wedding.organization, kind="sms", base_url=f"{outside.url}/twilio", credentials=ACCOUNT
    )
    mail = {"api_key": RESEND_KEY, "from": "Lakeside <hello@wedsync.example>"}
    SystemFactory(organization=wedding.organization, kind="email", base_url=f"{outside.url}/resend", credentials=mail)
    RouteFactory(
        organization=wedding.organization, channel_pattern="couple:dashboard:{id}", target="people", roles=["couple"]
    )
    return made


@pytest.fixture
def wedding(system: System) -> Wedding:
    return Wedding.objects.get(organization=system.organization)


def person(wedding: Wedding, phone: str = PERSON, *, consented: bool = True) -> Contact:
    made: Contact = ContactFactory(
        organization=wedding.organization,
        wedding=wedding,
        role="couple",
        phone=phone,
        preferred_channels=_BOTH,
    )
    if consented:
        Address.objects.create(
            organization=wedding.organization, channel="sms", value=phone, consented_at=timezone.now()
        )
    return made


def happened(wedding: Wedding, event_type: str = "payment.failed", payload: Any = None) -> ChannelEvent:
    event = stored(wedding, event_type, payload or {"amount": 100, "currency": "EUR", "reference": "R1"})
    route(event.id)
    return event


def work(event: ChannelEvent) -> None:
    """As the workers do it, until nothing more is due."""
    for _ in range(6):
        for row in Delivery.objects.filter(event=event, state="pending").order_by("id"):
            try:
                dispatch.serve(row.id, row.system_id, urgent=row.priority == "urgent")
            except dispatch.TryAgain:
                continue


def sent(event: ChannelEvent) -> Delivery:
    return Delivery.objects.filter(event=event, channel="sms").latest("generation")


def told(event: ChannelEvent, what: str) -> str:
    return " ".join(TraceEntry.objects.filter(event=event, what=what).values_list("text", flat=True))


def test_it_goes_out_as_a_form_and_its_cost_stands_in_the_trace(wedding: Wedding, outside: Peer) -> None:
    person(wedding)
    event = happened(wedding)

    work(event)

    (message,) = outside.messages("twilio")
    assert message["body"] == {"To": PERSON, "From": TWILIO_NUMBER, "Body": message["text"]}
    row = sent(event)
    assert (row.state, row.message.provider_id) == ("succeeded", message["provider_id"])
    assert f"in {message['view']['segments']} segment" in told(event, "sent")
    assert message["view"]["encoding"] in told(event, "sent")
    assert TWILIO_TOKEN not in json.dumps(row.request)


def test_a_connection_is_named_for_statuses_with_the_deliverys_key(
    wedding: Wedding, system: System, outside: Peer, settings: Any
) -> None:
    person(wedding)
    door = ConnectionFactory(organization=system.organization, system=system)
    event = happened(wedding)

    work(event)

    expected = f"{settings.PUBLIC_URL}/api/webhooks/providers/twilio/{door.id}?key={sent(event).id}"
    assert outside.messages("twilio")[0]["body"]["StatusCallback"] == expected


@pytest.mark.parametrize(
    ("changed", "field"),
    [({"sender": "MG1"}, "MessagingServiceSid"), ({"api_key_sid": "SK1", "auth_token": "key-secret"}, "From")],
)
def test_a_messaging_service_and_an_api_key_count_too(
    wedding: Wedding, system: System, outside: Peer, changed: dict[str, str], field: str
) -> None:
    if "sender" in changed:
        config = configuration()
        config["twilio"]["accounts"][0]["messaging_services"] = ["MG" + "0" * 32]
        (outside.home / "sandbox.json").write_text(json.dumps(config))
        changed = {"sender": "MG" + "0" * 32}
    system.seal_credentials({**ACCOUNT, **changed})
    system.save()
    person(wedding)
    event = happened(wedding)

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
    wedding: Wedding, system: System, outside: Peer, code: int, state: str, mark: str, system_state: str
) -> None:
    person(wedding)
    outside.fault("twilio", "status", code=code, count=1)
    event = happened(wedding)

    dispatch_once(event)

    row = sent(event)
    assert row.state == state, Attempt.objects.filter(delivery=row).values_list("error", flat=True)
    assert str(code) in row.attempts.get().error or code == 20500
    address = Address.objects.get(channel="sms")
    marks = {name for name in ("bounced_at", "opted_out_at") if getattr(address, name)}
    assert marks == ({mark} if mark else set())
    system.refresh_from_db()
    assert system.state == system_state


def dispatch_once(event: ChannelEvent) -> None:
    row = Delivery.objects.get(event=event, channel="sms")
    try:
        dispatch.serve(row.id, row.system_id, urgent=False)
    except dispatch.TryAgain:
        return


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


def test_without_consent_nothing_goes_out(wedding: Wedding, outside: Peer) -> None:
    person(wedding, consented=False)
    event = happened(wedding)

    work(event)

    assert outside.messages("twilio") == []
    assert "SMS is not used" in told(event, "not_sent") or sent(event).state == "skipped"


def lose_the_answer(wedding: Wedding, outside: Peer) -> Delivery:
    """A message that Twilio took, and whose answer nobody saw."""
    person(wedding)
    outside.fault("twilio", "silent_close", after=True, count=1)
    event = happened(wedding)
    dispatch_once(event)
    return sent(event)


def due_again(row: Delivery) -> None:
    Delivery.objects.filter(id=row.id).update(next_attempt_at=timezone.now())
    try:
        dispatch.serve(row.id, row.system_id, urgent=False)
    except dispatch.TryAgain:
        return


def test_after_an_unknown_outcome_a_status_with_our_key_says_that_it_was_taken(
    wedding: Wedding, system: System, outside: Peer
) -> None:
    door = ConnectionFactory(organization=system.organization, system=system)
    row = lose_the_answer(wedding, outside)
    assert (row.state, row.state_reason, row.may_duplicate) == ("held", "awaits_status", True)
    (message,) = outside.messages("twilio")
    NoticeFactory(
        organization=system.organization,
        connection=door,
        provider_id=message["provider_id"],
        data={"MessageSid": message["provider_id"], "biz_opaque_callback_data": str(row.id)},
    )

    due_again(row)

    row = Delivery.objects.get(id=row.id)
    assert (row.state, row.may_duplicate) == ("succeeded", False)
    assert row.message.provider_id == message["provider_id"]
    assert len(outside.messages("twilio")) == 1


def test_after_an_unknown_outcome_without_a_status_it_is_sent_once_more_and_marked(
    wedding: Wedding, system: System, outside: Peer
) -> None:
    ConnectionFactory(organization=system.organization, system=system)
    row = lose_the_answer(wedding, outside)

    due_again(row)

    row = Delivery.objects.get(id=row.id)
    assert (row.state, row.may_duplicate) == ("succeeded", True)
    first, again = outside.messages("twilio")
    assert first["body"] == again["body"]


def test_without_a_connection_no_status_is_waited_for(wedding: Wedding, outside: Peer) -> None:
    row = lose_the_answer(wedding, outside)

    assert row.state == "scheduled"
    assert row.may_duplicate


def test_the_credentials_are_tried_by_looking_the_numbers_up(system: System, outside: Peer) -> None:
    assert trials.try_out(system).verdict == TrialResult.TAKEN
    system.seal_credentials({**ACCOUNT, "auth_token": "wrong"})
    assert trials.try_out(system).verdict == TrialResult.REFUSED
    assert outside.messages("twilio") == []


def test_a_phone_that_stopped_at_twilio_is_opted_out_here(wedding: Wedding, outside: Peer) -> None:
    person(wedding, "+19990021610")
    event = happened(wedding)

    work(event)

    assert Address.objects.get(channel="sms").opted_out_at
    assert Delivery.objects.filter(event=event, channel="email", state="succeeded").exists()
    assert Message.objects.filter(channel="sms", provider_id="").exists()
