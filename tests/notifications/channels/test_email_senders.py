"""Who an email comes from is put in for each try; another sender makes another email of it, under another key."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from integrations import tasks
from integrations.models import Delivery
from integrations.outbound.sending import close_idle
from integrations.states import Reason, State
from integrations.systems import cache
from tests.notifications.channels.mails import SENDER, delivery, frozen, mail_server, sent
from tests.sandbox.sandbox_peer import RESEND_KEY, Peer, configuration, running

OTHER = "Lakeside Office <office@wedsync.example>"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def shared_resend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    home = tmp_path_factory.mktemp("senders-home")
    (home / "sandbox.json").write_text(json.dumps(configuration()))
    with running(Path(home)) as peer:
        yield peer
    close_idle()


@pytest.fixture
def resend(shared_resend: Peer, settings: Any) -> Peer:
    settings.OUTBOUND_ALLOW = [f"127.0.0.1/32:{shared_resend.port}"]
    settings.RETRY_QUICK_SECONDS = ()
    shared_resend.forget()
    return shared_resend


def email(resend: Peer, **rest: Any) -> Delivery:
    return delivery(f"{resend.url}/resend", {"api_key": RESEND_KEY}, **rest)


def enter(row: Delivery, **credentials: str) -> None:
    """Staff change the system's credentials."""
    system = row.system
    system.seal_credentials({**system.credentials, **credentials})
    system.save()
    cache._known.clear()  # workers see it within a second


def try_now(row: Delivery) -> Delivery:
    """One try, whatever the row's schedule says."""
    Delivery.objects.filter(id=row.id).update(next_attempt_at=row.created_at)
    tasks.deliver.apply(args=[str(row.id)])
    row.refresh_from_db()
    return row


def following(row: Delivery) -> Delivery:
    return Delivery.objects.select_related("system", "event__wedding").get(event=row.event, generation=1)


def test_what_is_frozen_holds_no_sender(resend: Peer) -> None:
    row = email(resend)
    enter(row, reply_to="Answers <answers@wedsync.example>")

    try_now(row)

    (message,) = resend.messages("resend")
    assert (message["body"]["from"], message["body"]["reply_to"]) == (SENDER, ["Answers <answers@wedsync.example>"])
    kept = json.dumps(row.request)
    assert "hello@" not in kept
    assert "answers@" not in kept
    assert len(json.loads((row.request or {})["body"])["sender_digest"]) == 64


@pytest.mark.parametrize("change", [{"from": OTHER}, {"reply_to": "answers@wedsync.example"}])
@pytest.mark.parametrize(
    ("fault", "unknown"),
    [({"mode": "silent_close", "after": True}, True), ({"mode": "status", "status": 500}, False)],
    ids=["after an unknown outcome", "after a refusal"],
)
def test_a_sender_that_has_changed_by_the_next_try_makes_a_new_email_under_a_new_key(
    fault: dict[str, Any], unknown: bool, change: dict[str, str], resend: Peer
) -> None:
    row = email(resend)
    resend.fault("resend", count=1, **fault)
    try_now(row)
    assert (row.state, row.attempt_count) == (State.SCHEDULED, 1)

    enter(row, **change)
    try_now(row)

    assert (row.state, row.state_reason, row.attempt_count) == (State.CANCELLED, Reason.SUPERSEDED, 1)
    again = following(row)
    assert (again.may_duplicate, again.expires_at) == (unknown, row.expires_at)
    assert row.may_duplicate == unknown
    try_now(again)
    assert again.state == State.SUCCEEDED
    *_, message = resend.messages("resend")
    assert message["headers"]["idempotency-key"] == str(again.id)
    assert message["body"]["from"] == change.get("from", SENDER)


def test_another_provider_makes_a_new_email_too(resend: Peer) -> None:
    row = email(resend)
    resend.fault("resend", "silent_close", count=1, after=True)
    try_now(row)

    enter(row, provider="postmark")
    try_now(row)

    assert row.state == State.CANCELLED
    assert following(row).may_duplicate


def test_another_api_key_makes_no_new_email(resend: Peer) -> None:
    row = email(resend)
    resend.fault("resend", "silent_close", count=1, after=True)
    try_now(row)

    enter(row, api_key="re_not_yet_known")
    try_now(row)
    enter(row, api_key=RESEND_KEY)
    row.system.state = "active"
    row.system.save()
    cache._known.clear()
    try_now(row)

    assert row.state == State.SUCCEEDED
    assert not Delivery.objects.filter(event=row.event, generation=1).exists()
    assert len(resend.messages("resend")) == 1


@pytest.mark.parametrize(("sender", "stays"), [(SENDER, True), (OTHER, False)])
def test_an_email_that_was_frozen_with_its_sender_is_sent_as_it_is_or_replaced(
    sender: str, stays: bool, resend: Peer
) -> None:
    row = email(resend)
    request = frozen(row)
    body = json.loads(request.body)
    del body["sender_digest"]
    Delivery.objects.filter(id=row.id).update(
        request={**request.as_json(), "body": json.dumps({"from": sender, "reply_to": "", **body})}
    )

    try_now(row)

    assert (row.state == State.SUCCEEDED) == stays
    assert Delivery.objects.filter(event=row.event, generation=1).exists() != stays


def test_a_try_by_smtp_has_the_sender_of_that_try(settings: Any) -> None:
    with mail_server() as server:
        settings.OUTBOUND_ALLOW = [f"127.0.0.1/32:{server.port}"]
        smtp = {"provider": "smtp", "host": "127.0.0.1", "port": str(server.port), "tls": "none"}
        row = delivery(credentials=smtp)
        frozen(row)

        sent(row)

    assert "MAIL FROM:<hello@wedsync.example>" in server.commands
    assert b"From: Lakeside <hello@wedsync.example>" in server.mails[0]
