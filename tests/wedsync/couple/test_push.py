"""Notifications: what the page's script and the service worker may do, and for whom."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from django.utils import timezone

from notifications.channels.web_push import endpoints, keys
from sandbox.services.web_push.encryption import encoded, point_of
from tests.factories import SystemFactory
from tests.wedsync.couple.visiting import Couple, make_couple, text_of
from wedsync.couple.push import MOST_A_MINUTE
from wedsync.weddings import personal_links
from wedsync.weddings.models import Address, Device, PersonalLink

pytestmark = pytest.mark.django_db
MOZILLA = "https://updates.push.services.mozilla.com/wpush/v2/gAAAAA"
OURS = "http://testserver"


@pytest.fixture
def sending(couple: Couple) -> Couple:
    """Their organization sends notifications, and they have opened their page."""
    SystemFactory(organization=couple.wedding.organization, kind="web_push")
    couple.open()
    return couple


def subscription(endpoint: str = MOZILLA) -> dict[str, Any]:
    point = encoded(point_of(ec.generate_private_key(ec.SECP256R1()).public_key()))
    return {"endpoint": endpoint, "expirationTime": None, "keys": {"p256dh": point, "auth": encoded(b"a" * 16)}}


def call(couple: Couple, method: str, content: Any, *, path: str = "", origin: str = OURS, **options: Any) -> Any:
    options.setdefault("content_type", "application/json")
    body = content if isinstance(content, str) else json.dumps(content)
    headers = {"Origin": origin} if origin else {}
    ask = getattr(couple.browser, method)
    return ask(path or f"{couple.home}push/", data=body, headers=headers, **options)


def devices() -> list[tuple[object, str]]:
    return [(device.contact_id, device.value) for device in Device.objects.order_by("id")]


def test_the_page_has_the_button_where_its_organization_sends(sending: Couple) -> None:
    shown = sending.page().content.decode()

    assert f'data-key="{keys.public_key()}"' in shown
    assert "couple/push.js" in shown
    assert "Add to Home Screen" in shown
    assert sending.browser.get(f"{sending.home}push/").json() == {"key": keys.public_key()}


def test_elsewhere_there_is_none(couple: Couple) -> None:
    couple.open()

    assert 'id="push"' not in couple.page().content.decode()
    assert call(couple, "post", {"subscription": subscription()}).status_code == 404
    assert devices() == []


@pytest.mark.parametrize(
    ("locale", "words"),
    [("de", "Mitteilungen"), ("en", "Notifications"), ("es", "Notificaciones"), ("fr", "Notifications")],
)
def test_its_words_are_in_the_readers_language(locale: str, words: str) -> None:
    couple = make_couple(locale=locale)
    SystemFactory(organization=couple.wedding.organization, kind="web_push")

    shown = text_of(couple.open())

    assert words in shown


def test_a_browser_subscribes_and_leaves_again(sending: Couple) -> None:
    assert call(sending, "post", {"subscription": subscription()}).status_code == 204

    assert devices() == [(sending.contact.id, endpoints.address_of(MOZILLA))]
    assert Device.objects.get().name == "iPhone, Safari"

    assert call(sending, "delete", {"endpoint": MOZILLA}).status_code == 204

    assert devices() == []
    assert not Address.objects.filter(channel="web_push").exists()


def test_a_changed_subscription_is_renewed_in_its_place_and_another_is_not(sending: Couple) -> None:
    call(sending, "post", {"subscription": subscription()})
    changed = {"subscription": subscription(f"{MOZILLA}new"), "replaces": MOZILLA, "renew": True}

    assert call(sending, "post", changed).status_code == 204
    assert call(sending, "post", {**changed, "replaces": f"{MOZILLA}unknown"}).status_code == 204, "it is theirs by now"
    unknown = {"subscription": subscription(f"{MOZILLA}other"), "replaces": MOZILLA, "renew": True}
    assert call(sending, "post", unknown).status_code == 404

    assert devices() == [(sending.contact.id, endpoints.address_of(f"{MOZILLA}new"))]


@pytest.mark.parametrize("origin", ["https://evil.example", "http://testserver:8080", "https://testserver", "null", ""])
def test_another_page_may_not(sending: Couple, origin: str) -> None:
    assert call(sending, "post", {"subscription": subscription()}, origin=origin).status_code == 403
    assert devices() == []


def test_a_form_may_not(sending: Couple) -> None:
    body = json.dumps({"subscription": subscription()})

    assert call(sending, "post", body, content_type="text/plain").status_code == 403
    assert devices() == []


@pytest.mark.parametrize(
    "content",
    [
        "[]",
        "not json",
        '{"a":1,"a":2}',
        "NaN",
        {},
        {"subscription": None},
        {"subscription": {"endpoint": MOZILLA}},
        {"subscription": subscription("https://169.254.169.254/latest/meta-data")},
        {"subscription": subscription("https://evil.example/x")},
        {"subscription": subscription("http://updates.push.services.mozilla.com/x")},
        {"subscription": subscription(), "replaces": 1},
        {"subscription": subscription(), "more": "x" * 9000},
    ],
)
def test_what_is_no_subscription_of_a_known_push_service_is_refused(sending: Couple, content: Any) -> None:
    answer = call(sending, "post", content)

    assert answer.status_code == 400
    assert answer.json()["detail"]
    assert devices() == []


def test_nobody_does_it_for_another_couple(sending: Couple) -> None:
    other = make_couple(couple="Clara & Dan")
    SystemFactory(organization=other.wedding.organization, kind="web_push")
    other.open()
    call(sending, "post", {"subscription": subscription()})

    assert call(other, "post", {"subscription": subscription()}, path=f"{sending.home}push/").status_code == 403
    assert call(other, "delete", {"endpoint": MOZILLA}, path=f"{sending.home}push/").status_code == 403
    assert call(other, "delete", {"endpoint": MOZILLA}).status_code == 204, "nothing of theirs is there"

    assert devices() == [(sending.contact.id, endpoints.address_of(MOZILLA))]


def test_a_revoked_link_ends_it(sending: Couple) -> None:
    call(sending, "post", {"subscription": subscription()})

    personal_links.revoke(PersonalLink.objects.all(), "Ines")

    assert devices() == []
    assert call(sending, "post", {"subscription": subscription()}).status_code == 403
    assert sending.browser.get(f"{sending.home}push/").status_code == 403
    assert call(sending, "delete", {"endpoint": MOZILLA}).status_code == 204
    assert devices() == []


@pytest.mark.parametrize("ended", ["revoked_at", "expires_at"])
def test_a_browser_whose_link_has_ended_still_ends_its_own_subscription(sending: Couple, ended: str) -> None:
    call(sending, "post", {"subscription": subscription()})
    PersonalLink.objects.update(**{ended: timezone.now()})

    assert call(sending, "delete", {"endpoint": MOZILLA}).status_code == 204

    assert devices() == []


def test_the_service_worker_shows_notifications(sending: Couple) -> None:
    script = sending.browser.get(f"{sending.home}worker.js").content.decode()

    for name in ("push", "notificationclick", "pushsubscriptionchange"):
        assert f'addEventListener("{name}"' in script


def test_one_link_registers_only_so_many_a_minute(sending: Couple) -> None:
    other = make_couple(couple="Clara & Dan")
    SystemFactory(organization=other.wedding.organization, kind="web_push")
    other.open()

    tried = 2 * MOST_A_MINUTE + 1  # so that the start of a new minute among them does not matter
    answers = [call(sending, "post", {"subscription": subscription(f"{MOZILLA}{n}")}) for n in range(tried)]

    refused = [answer for answer in answers if answer.status_code == 429]
    assert {answer.status_code for answer in answers} == {204, 429}
    assert 1 <= int(refused[0].headers["Retry-After"]) <= 60
    assert call(sending, "delete", {"endpoint": MOZILLA}).status_code == 204
    assert call(other, "post", {"subscription": subscription()}).status_code == 204


def test_replaced_subscriptions_leave_no_addresses(sending: Couple) -> None:
    call(sending, "post", {"subscription": subscription()})
    for number in range(4):
        replaces = f"{MOZILLA}{number - 1}" if number else MOZILLA
        call(sending, "post", {"subscription": subscription(f"{MOZILLA}{number}"), "replaces": replaces})

    kept = endpoints.address_of(f"{MOZILLA}3")
    assert [address.value for address in Address.objects.filter(channel="web_push")] == [kept]
    assert devices() == [(sending.contact.id, kept)]
