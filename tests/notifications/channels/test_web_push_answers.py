"""What each answer of a push service leads to, over HTTP at the sandbox."""

from __future__ import annotations

from typing import Any

import pytest

from integrations.models import Alert, Delivery, System
from notifications.channels.web_push import subscriptions
from tests.notifications.channels.phones import happened, work
from tests.notifications.channels.pushing import pushes, reader, subscribe
from tests.notifications.channels.texting import dispatch_once, due_again
from tests.sandbox.sandbox_peer import Peer
from wedsync.runner.home import vapid_key
from wedsync.weddings import personal_links
from wedsync.weddings.models import Address, Device, Wedding

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


def test_a_requested_pause_holds_all_calls(pushed: Wedding, outside: Peer) -> None:
    anna = reader(pushed)
    subscribe(anna, outside, "phone")
    subscribe(anna, outside, "laptop")
    outside.fault("web_push", "status", status=429, retry_after=30, count=1)
    first, second = pushes(happened(pushed))

    dispatch_once(first)
    dispatch_once(second)

    states = {row.state for row in Delivery.objects.filter(channel="web_push")}
    assert "succeeded" not in states
    assert [row["status"] for row in outside.request_log("web_push")["rows"]] == [429]
    assert System.objects.get(kind="web_push").state == "active"


@pytest.mark.parametrize("status", [400, 401, 403])
def test_our_keys_being_refused_pauses_the_system_and_alerts(pushed: Wedding, outside: Peer, status: int) -> None:
    subscribe(reader(pushed), outside)
    outside.fault("web_push", "status", status=status, count=1)
    event = happened(pushed)

    work(event)

    assert System.objects.get(kind="web_push").state == "paused"
    assert Alert.objects.filter(cause="system_stopped").exists()
    assert Device.objects.count() == 1
    assert (pushes(event)[0].state, pushes(event)[0].state_reason) == ("held", "system_paused")


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
