"""Subscriptions: which are accepted, who has them, and how they are renewed and ended."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from notifications.channels.web_push import endpoints, keys, subscriptions
from notifications.consent import staff_decisions
from sandbox.services.web_push.encryption import encoded, point_of
from tests.factories import ContactFactory, SystemFactory
from wedsync import vault
from wedsync.weddings.models import Address, AddressChange, Contact, Device

MOZILLA = "https://updates.push.services.mozilla.com/wpush/v2/gAAAAA"


def given(endpoint: str = MOZILLA, **keys: str) -> dict[str, Any]:
    point = encoded(point_of(ec.generate_private_key(ec.SECP256R1()).public_key()))
    return {"endpoint": endpoint, "keys": {"p256dh": point, "auth": encoded(b"a" * 16), **keys}}


def read(endpoint: str = MOZILLA) -> subscriptions.Subscription:
    return subscriptions.read(given(endpoint))


def values() -> set[tuple[str, str]]:
    return {(device.contact.name, device.value) for device in Device.objects.all()}


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://fcm.googleapis.com/fcm/send/abc:DEF-1",
        MOZILLA,
        "https://web.push.apple.com/QGuQyavXutnMH",
        "https://wns2-par02p.notify.windows.com/w/?token=BQYAAA%3d%3d",
    ],
)
def test_known_push_services_are_accepted(endpoint: str) -> None:
    assert read(endpoint).endpoint == endpoint


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://fcm.googleapis.com/fcm/send/abc",
        "https://fcm.googleapis.com:8443/fcm/send/abc",
        "https://fcm.googleapis.com.evil.example/fcm/send/abc",
        "https://evilfcm.googleapis.com/x",
        "https://push.apple.com/x",
        "https://evilpush.apple.com/x",
        "https://user@fcm.googleapis.com/x",
        "https://fcm.googleapis.com@evil.example/x",
        "https://fcm.googleapis.com\\@evil.example/x",
        "https://fcm.googleapis.com#@evil.example/x",
        "https://hub.internal/x",
        "https://169.254.169.254/latest",
        "https://[::1]/x",
        "https://127.0.0.1/x",
        "https://localhost/x",
        "file:///etc/passwd",
        "https://fcm.googleapis.com/\r\nx",
        "fcm.googleapis.com/x",
        "",
        "https://fcm.googleapis.com/" + "a" * 2000,
    ],
)
def test_other_places_are_refused_without_being_repeated(endpoint: str, settings: Any) -> None:
    settings.PUSH_HOSTS = ()

    with pytest.raises(ValueError, match=r"\.$") as refused:
        read(endpoint)

    assert not endpoint or endpoint not in str(refused.value)


def test_an_operator_adds_hosts(settings: Any) -> None:
    settings.PUSH_HOSTS = ("push.hub.example", "*.own.example")

    endpoints.check("https://push.hub.example/x")
    endpoints.check("https://eu.own.example:8443/x")
    for other in ("https://own.example/x", "http://push.hub.example/x", "https://a.push.hub.example/x"):
        with pytest.raises(ValueError, match="."):
            endpoints.check(other)


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        [],
        "text",
        {},
        {"endpoint": MOZILLA},
        {"endpoint": MOZILLA, "keys": []},
        {"endpoint": 1, "keys": {"p256dh": "a", "auth": "b"}},
        given(p256dh="AAAA"),
        given(p256dh=encoded(b"\x04" + b"a" * 64)),
        given(auth=encoded(b"a" * 15)),
        given(auth="not base64!"),
        given(auth="é" * 22),
    ],
)
def test_what_no_browser_gives_is_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        subscriptions.read(wrong)


@pytest.mark.django_db
def test_it_is_stored_encrypted_under_the_hash_of_its_endpoint_and_is_consent() -> None:
    anna: Contact = ContactFactory()
    found = read()

    subscriptions.subscribe(anna, found, "Firefox on Android")
    subscriptions.subscribe(anna, found, "Firefox on Android")

    (device,) = Device.objects.all()
    assert (device.value, device.name) == (endpoints.address_of(MOZILLA), "Firefox on Android")
    assert MOZILLA not in device.sealed
    assert MOZILLA in vault.decrypt(device.sealed)
    address = Address.objects.get(channel="web_push")
    assert (address.value, address.blocked_because) == (device.value, "")
    assert address.consented_at is not None
    assert AddressChange.objects.filter(what="consent").count() == 1
    assert subscriptions.of(anna.id, device.value) == found


@pytest.mark.django_db
def test_ending_it_opts_out_and_subscribing_again_takes_that_back() -> None:
    anna: Contact = ContactFactory()
    found = read()
    subscriptions.subscribe(anna, found)

    assert subscriptions.unsubscribe(anna, MOZILLA)
    assert not subscriptions.unsubscribe(anna, MOZILLA)

    address = Address.objects.get(channel="web_push")
    assert address.blocked_because == "opted_out"
    assert not Device.objects.exists()

    subscriptions.subscribe(anna, found)

    address.refresh_from_db()
    assert address.blocked_because == ""


@pytest.mark.django_db
def test_one_that_had_ended_counts_again_when_it_is_taken_up_again() -> None:
    anna: Contact = ContactFactory()
    subscriptions.subscribe(anna, read())
    subscriptions.end(anna.organization_id, endpoints.address_of(MOZILLA), "answered 410")
    assert Address.objects.get().blocked_because == "bounced"
    assert not Device.objects.exists()

    subscriptions.subscribe(anna, read())

    assert Address.objects.get().blocked_because == ""


@pytest.mark.django_db
def test_a_renewed_one_replaces_the_contacts_own_only() -> None:
    anna: Contact = ContactFactory(name="Anna")
    ben: Contact = ContactFactory(name="Ben", organization=anna.organization, wedding=anna.wedding)
    for contact in (anna, ben):
        subscriptions.subscribe(contact, read())

    subscriptions.subscribe(anna, read(f"{MOZILLA}new"), replaces=MOZILLA)

    old, new = endpoints.address_of(MOZILLA), endpoints.address_of(f"{MOZILLA}new")
    assert values() == {("Anna", new), ("Ben", old)}


@pytest.mark.django_db
def test_only_what_a_contact_still_has_is_renewed() -> None:
    anna: Contact = ContactFactory()
    ben: Contact = ContactFactory(organization=anna.organization, wedding=anna.wedding)
    subscriptions.subscribe(anna, read(), "Firefox")

    assert not subscriptions.renew(ben, read(f"{MOZILLA}new"), replaces=MOZILLA)
    assert subscriptions.renew(anna, read(f"{MOZILLA}new"), replaces=MOZILLA)

    (device,) = Device.objects.all()
    assert (device.contact, device.value, device.name) == (anna, endpoints.address_of(f"{MOZILLA}new"), "Firefox")


@pytest.mark.django_db
def test_what_staff_have_ended_is_not_renewed() -> None:
    anna: Contact = ContactFactory()
    subscriptions.subscribe(anna, read())
    staff_decisions.opt_out(Address.objects.get(), by="Ines", reason="asked by phone")

    assert not subscriptions.renew(anna, read(), replaces=MOZILLA)
    assert not subscriptions.renew(anna, read(f"{MOZILLA}new"), replaces=MOZILLA)

    assert Address.objects.get().blocked_because == "opted_out"


@pytest.mark.django_db
def test_it_is_offered_where_the_organization_sends_and_this_copy_can(settings: Any) -> None:
    system = SystemFactory(kind="web_push")

    assert subscriptions.offered_key(system.organization_id) == keys.public_key()
    assert subscriptions.offered_key(ContactFactory().organization_id) == ""
    settings.VAPID_PRIVATE_KEY = ""
    assert subscriptions.offered_key(system.organization_id) == ""


@pytest.mark.django_db
def test_of_two_people_at_one_browser_one_may_leave() -> None:
    anna: Contact = ContactFactory(name="Anna")
    ben: Contact = ContactFactory(name="Ben", organization=anna.organization, wedding=anna.wedding)
    for contact in (anna, ben):
        subscriptions.subscribe(contact, read())

    subscriptions.unsubscribe(anna, MOZILLA)

    assert values() == {("Ben", endpoints.address_of(MOZILLA))}
    assert Address.objects.get().blocked_because == ""


@pytest.mark.django_db
def test_a_contact_has_at_most_ten_and_the_oldest_goes() -> None:
    anna: Contact = ContactFactory()
    for number in range(subscriptions.MOST + 1):
        subscriptions.subscribe(anna, read(f"{MOZILLA}{number}"))

    kept = {device.value for device in Device.objects.all()}
    assert len(kept) == subscriptions.MOST
    assert endpoints.address_of(f"{MOZILLA}0") not in kept
