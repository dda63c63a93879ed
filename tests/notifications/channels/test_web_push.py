"""Web Push as the sandbox plays a push service, over HTTP: what goes out, and what each answer leads to."""

from __future__ import annotations

import json
import logging
from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.models import Attempt, Delivery
from integrations.outbound import Response
from notifications.channels.registry import CHANNELS
from notifications.channels.web_push import channel, keys
from notifications.models import Message, TraceEntry
from tests.notifications.channels.phones import happened, work
from tests.notifications.channels.pushing import pushes, reader, subscribe
from tests.notifications.channels.texting import dispatch_once, due_again
from tests.sandbox.sandbox_peer import Peer
from wedsync.weddings.models import Address, Device, PersonalLink, Wedding

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_arrives_encrypted_for_each_of_the_persons_browsers(pushed: Wedding, outside: Peer) -> None:
    anna = reader(pushed)
    subscribe(anna, outside, "phone")
    subscribe(anna, outside, "laptop")
    event = happened(pushed)

    work(event)

    told = outside.messages("web_push")
    assert {message["to"] for message in told} == {"phone", "laptop"}
    assert len({message["text"] for message in told}) == 1
    assert "100" in told[0]["text"]
    notification = told[0]["body"]["notification"]
    assert told[0]["body"]["web_push"] == 8030
    assert (notification["lang"], notification["navigate"].startswith("http")) == ("en", True)
    rows = pushes(event)
    assert {(row.state, row.message.status) for row in rows} == {("succeeded", "sent")}
    assert [len(message["body"]["notification"]["tag"]) for message in told] == [32, 32]


def test_it_is_sent_beside_the_preferred_channel(pushed: Wedding, outside: Peer) -> None:
    anna = reader(pushed)
    subscribe(anna, outside)
    event = happened(pushed)

    work(event)

    assert [message["to"] for message in outside.messages("resend")] == [anna.email]
    assert len(outside.messages("web_push")) == 1


def test_who_has_no_browser_is_told_as_before(pushed: Wedding, outside: Peer) -> None:
    anna = reader(pushed)
    event = happened(pushed)

    work(event)

    assert [message["to"] for message in outside.messages("resend")] == [anna.email]
    assert pushes(event) == []


def test_how_long_it_is_kept_how_urgent_it_is_and_what_it_replaces(pushed: Wedding, outside: Peer) -> None:
    subscribe(reader(pushed), outside)
    first, second = (happened(pushed, "guest_count.changed", {"guest_count": count}) for count in (120, 130))
    Delivery.objects.filter(event__in=[first, second], channel="web_push").update(
        state="pending", state_reason="", expires_at=timezone.now() + timedelta(minutes=10)
    )

    for row in (*pushes(first), *pushes(second)):
        dispatch_once(row)

    views = [message["view"] for message in outside.messages("web_push")]
    assert len(views) == 2
    assert {view["topic"] for view in views} == {views[0]["tag"]}
    assert all(590 <= view["ttl"] <= 600 for view in views)
    assert {view["urgency"] for view in views} == {"normal"}
    separate = [channel.topic_of(row) for event in (happened(pushed), happened(pushed)) for row in pushes(event)]
    assert len(set(separate)) == 2, "payments do not replace each other"


@pytest.mark.parametrize(
    ("priority", "urgency"), [("low", "low"), ("normal", "normal"), ("high", "high"), ("urgent", "high")]
)
def test_urgency_follows_the_priority(pushed: Wedding, outside: Peer, priority: str, urgency: str) -> None:
    subscribe(reader(pushed), outside)
    (row,) = pushes(happened(pushed))
    row.priority = priority

    assert CHANNELS["web_push"].render(row).headers["Urgency"] == urgency


def test_its_secrets_are_in_no_row_no_trace_and_no_log(
    pushed: Wedding, outside: Peer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    given = subscribe(reader(pushed), outside)
    outside.fault("web_push", "status", status=500, count=1)
    event = happened(pushed)
    (row,) = pushes(event)
    dispatch_once(row)
    due_again(row)

    (row,) = pushes(event)
    assert row.state == "succeeded"
    shown = json.dumps(
        [
            row.request,
            row.target,
            list(Attempt.objects.values_list("error", "response_excerpt")),
            list(TraceEntry.objects.values_list("text", flat=True)),
            list(Message.objects.values_list("address", "text", "provider_id")),
            list(Device.objects.values_list("value", "sealed", "name")),
            list(Address.objects.values_list("value", "consent_source")),
            caplog.text,
        ]
    )
    token = given["endpoint"].rpartition("/")[2]
    for secret in (token, given["keys"]["auth"], given["keys"]["p256dh"], keys.authorization(given["endpoint"])[:60]):
        assert secret not in shown


def test_an_answer_that_repeats_the_endpoint_is_kept_without_it() -> None:
    endpoint = "https://fcm.googleapis.com/fcm/send/c4ll-me?token=h1dden-value"
    body = f"no such endpoint {endpoint}, /fcm/send/c4ll-me, c4ll-me, h1dden-value token=h1dden-value".encode()

    kept = channel._without_endpoint(Response(500, {"location": endpoint, "retry-after": "3"}, body), endpoint)

    assert kept.headers == {"retry-after": "3"}
    assert "c4ll-me" not in kept.text
    assert endpoint not in kept.text


def test_a_repetition_replaces_what_was_shown(pushed: Wedding, outside: Peer) -> None:
    subscribe(reader(pushed), outside)
    outside.fault("web_push", "silent_close", after=True, count=1)
    (row,) = pushes(happened(pushed))
    dispatch_once(row)

    due_again(row)

    first, second = outside.messages("web_push")
    assert first["view"]["tag"] == second["view"]["tag"]
    row.refresh_from_db()
    assert (row.state, row.may_duplicate) == ("succeeded", False)


def test_a_subscription_whose_link_has_ended_gets_nothing_and_is_removed(pushed: Wedding, outside: Peer) -> None:
    subscribe(reader(pushed), outside)
    (row,) = pushes(happened(pushed))
    PersonalLink.objects.update(expires_at=timezone.now())

    dispatch_once(row)

    row.refresh_from_db()
    assert (row.state, row.state_reason) == ("skipped", "no_address")
    assert outside.messages("web_push") == []
    assert not Device.objects.exists()
