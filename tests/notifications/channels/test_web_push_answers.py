"""What each answer of a push service leads to, over HTTP at the sandbox."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.utils import timezone

from integrations import admission
from integrations.admission import BreakerState, lane_of
from integrations.errors import CredentialsRefused
from integrations.models import Alert, Attempt, Delivery, System
from integrations.outbound import Response
from notifications.channels.web_push import answers, subscriptions
from notifications.channels.web_push.answers import Answer
from tests.notifications.channels.phones import happened, work
from tests.notifications.channels.pushing import pushes, reader, subscribe
from tests.notifications.channels.texting import dispatch_once, due_again
from tests.sandbox.sandbox_peer import Peer
from wedsync import vault
from wedsync.runner.home import vapid_key
from wedsync.weddings import personal_links
from wedsync.weddings.models import Address, Contact, Device, Wedding

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("status", [404, 410])
def test_a_subscription_that_has_ended_is_removed(pushed: Wedding, outside: Peer, status: int) -> None:
    anna = reader(pushed)
    subscribe(anna, outside)
    outside.fault("web_push", "status", status=status, count=1)
    event = happened(pushed)

    work(event)

    (row,) = pushes(event)
    assert (row.state, row.state_reason) == ("dead", "bounced")
    assert not Device.objects.exists()
    assert not Address.objects.filter(channel="web_push").exists()
    assert str(status) in row.attempts.get().error
    assert System.objects.get(kind="web_push").state == "active"
    assert pushes(happened(pushed)) == [], "later events do not try it"


def test_an_owner_who_withdraws_the_permission_ends_it(pushed: Wedding, outside: Peer) -> None:
    given = subscribe(reader(pushed), outside)
    outside.ends(given)

    work(happened(pushed))

    assert not Device.objects.exists()


def test_one_browser_that_is_gone_leaves_the_other(pushed: Wedding, outside: Peer) -> None:
    anna = reader(pushed)
    gone = subscribe(anna, outside, "phone")
    subscribe(anna, outside, "laptop")
    outside.ends(gone)

    work(happened(pushed))

    assert [device.name for device in Device.objects.all()] == ["laptop"]
    assert [message["to"] for message in outside.messages("web_push")] == ["laptop"]


def test_what_is_too_large_is_sent_again_shorter_and_still_has_its_link(pushed: Wedding, outside: Peer) -> None:
    subscribe(reader(pushed), outside)
    said = {"amount": 100, "currency": "EUR", "reference": "R1", "reason": "because " * 1000}
    outside.fault("web_push", "status", status=413, count=2)
    (row,) = pushes(happened(pushed, payload=said))
    dispatch_once(row)
    row.refresh_from_db()
    assert row.state == "scheduled"

    for _ in range(2):
        due_again(row)

    (message,) = outside.messages("web_push")
    assert message["view"]["bytes"] <= 3072 // 4
    assert message["view"]["navigate"].startswith("http")


def test_a_requested_pause_holds_this_endpoint_alone(pushed: Wedding, outside: Peer) -> None:
    subscribe(reader(pushed), outside, "phone")
    outside.fault("web_push", "status", status=429, retry_after=30, count=1)
    work(happened(pushed))
    subscribe(reader(pushed), outside, "laptop")
    second = happened(pushed)

    work(second)

    reasons = {row.state_reason for row in Delivery.objects.filter(channel="web_push")}
    assert reasons == {"", "throttled", "pair_limited"}
    assert {row.state_reason for row in pushes(second)} == {"", "pair_limited"}
    assert [message["to"] for message in outside.messages("web_push")] == ["laptop"]
    assert sorted(row["status"] for row in outside.request_log("web_push")["rows"]) == [201, 429]
    assert System.objects.get(kind="web_push").state == "active"


@pytest.mark.parametrize(
    ("status", "text", "of_keys"),
    [
        (400, '{"reason": "BadVapidToken"}', True),
        (400, "bad TTL", False),
        (401, "", True),
        (403, "", True),
        (500, "VAPID", False),
    ],
)
def test_which_answers_speak_of_our_keys(status: int, text: str, of_keys: bool) -> None:
    response = Response(status, {}, text.encode())

    assert answers.refuses_keys(response) is of_keys
    error = answers.error_of(Answer(status, {}, text.encode(), keys_refused=True))
    assert isinstance(error, CredentialsRefused) is of_keys
    assert not isinstance(answers.error_of(response), CredentialsRefused)


@pytest.mark.parametrize("status", [401, 403])
def test_only_what_two_contacts_endpoints_say_of_our_keys_pauses_the_system(
    pushed: Wedding, outside: Peer, status: int
) -> None:
    anna = reader(pushed)
    for name in ("phone", "laptop"):
        subscribe(anna, outside, name)
    outside.fault("web_push", "status", status=status, count=3)

    work(happened(pushed))

    assert System.objects.get(kind="web_push").state == "active", "one contact's word"
    assert not Device.objects.exists()
    assert not Alert.objects.filter(cause="system_stopped").exists()

    ben = reader(pushed)
    subscribe(ben, outside, "tablet")
    event = happened(pushed)
    work(event)

    assert System.objects.get(kind="web_push").state == "paused"
    assert Alert.objects.filter(cause="system_stopped").exists()
    assert Device.objects.get().contact == ben
    assert [(row.state, row.state_reason) for row in pushes(event)] == [("held", "system_paused")]


def test_a_refusal_that_does_not_speak_of_our_keys_concerns_one_message(pushed: Wedding, outside: Peer) -> None:
    for name in ("phone", "laptop"):
        subscribe(reader(pushed), outside, name)
    outside.fault("web_push", "status", status=400, count=2)

    work(happened(pushed))

    assert System.objects.get(kind="web_push").state == "active"
    assert Device.objects.count() == 2
    assert {row.state for row in Delivery.objects.filter(channel="web_push")} == {"dead"}


def unreachable(contact: Contact, outside: Peer) -> None:
    """A subscription at a port where nobody answers."""
    subscribe(contact, outside, "nowhere")
    device = Device.objects.get(name="nowhere")
    kept = json.loads(vault.decrypt(device.sealed))
    elsewhere = kept["endpoint"].replace(f":{outside.port}", ":1")
    device.sealed = vault.encrypt(json.dumps({**kept, "endpoint": elsewhere}))
    device.save()


def test_an_endpoint_that_cannot_be_reached_holds_nobody_elses(pushed: Wedding, outside: Peer, settings: Any) -> None:
    settings.OUTBOUND_ALLOW = [*settings.OUTBOUND_ALLOW, "127.0.0.1/32:1"]
    settings.PUSH_HOSTS = ("127.0.0.1",)
    unreachable(reader(pushed), outside)
    failing = [row for _ in range(12) for row in pushes(happened(pushed))]
    for row in failing:
        dispatch_once(row)
        row.refresh_from_db()

    assert {(row.state, row.state_reason) for row in failing} == {("scheduled", "network_error")}
    assert set(Attempt.objects.values_list("error_class", flat=True)) == {"EndpointFailed"}
    system = System.objects.get(kind="web_push")
    assert admission.look([lane_of(system)])[str(system.id)].state == BreakerState.CLOSED

    subscribe(reader(pushed), outside, "laptop")
    work(happened(pushed))

    assert [message["to"] for message in outside.messages("web_push")] == ["laptop"]


def test_an_endpoint_that_fails_for_days_ends_and_one_that_works_again_does_not(pushed: Wedding, outside: Peer) -> None:
    subscribe(reader(pushed), outside)
    outside.fault("web_push", "status", status=503, count=1)
    (row,) = pushes(happened(pushed))
    dispatch_once(row)
    assert Device.objects.get().failing_since is not None
    due_again(row)
    assert Device.objects.get().failing_since is None

    Device.objects.update(failing_since=timezone.now() - subscriptions.FAILS_FOR)
    outside.fault("web_push", "status", status=503, count=1)
    work(happened(pushed))

    assert not Device.objects.exists()


def test_the_library_really_signs_for_us(pushed: Wedding, outside: Peer, settings: Any) -> None:
    """The sandbox checks the token; with another key it answers 403, as a push service does."""
    anna = reader(pushed)
    given = subscribe(anna, outside)
    settings.VAPID_PRIVATE_KEY = vapid_key()
    subscriptions.subscribe(personal_links.issue(anna), subscriptions.read(given))

    work(happened(pushed))

    assert [row["status"] for row in outside.request_log("web_push")["rows"]] == [403]


def test_a_subscription_for_an_earlier_key_is_not_tried(pushed: Wedding, outside: Peer, settings: Any) -> None:
    subscribe(reader(pushed), outside)
    settings.VAPID_PRIVATE_KEY = vapid_key()
    event = happened(pushed)

    work(event)

    (row,) = pushes(event)
    assert row.state == "dead"
    assert "earlier key" in row.attempts.get().error
    assert outside.request_log("web_push")["rows"] == []
    assert System.objects.get(kind="web_push").state == "active"


def test_without_our_keys_it_waits_for_them(pushed: Wedding, outside: Peer, settings: Any) -> None:
    subscribe(reader(pushed), outside)
    settings.VAPID_PRIVATE_KEY = ""
    event = happened(pushed)

    work(event)

    (row,) = pushes(event)
    assert (row.state, row.state_reason) == ("scheduled", "our_fault")
    assert "WEDSYNC_VAPID_PRIVATE_KEY" in row.attempts.get().error


def test_a_host_that_is_no_longer_listed_is_not_called(pushed: Wedding, outside: Peer, settings: Any) -> None:
    subscribe(reader(pushed), outside)
    settings.PUSH_HOSTS = ()
    event = happened(pushed)

    work(event)

    (row,) = pushes(event)
    assert row.state == "dead"
    assert outside.request_log("web_push")["rows"] == []


def test_a_listed_host_that_leads_to_a_private_address_is_not_called(
    pushed: Wedding, outside: Peer, settings: Any
) -> None:
    subscribe(reader(pushed), outside)
    settings.OUTBOUND_ALLOW = []
    event = happened(pushed)

    work(event)

    assert all(row.state != "succeeded" for row in pushes(event))
    assert outside.request_log("web_push")["rows"] == []
