"""Subscriptions: which are accepted, who has them, and how they are renewed and ended."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from django.utils import timezone

from notifications.channels.web_push import endpoints, keys, subscriptions
from notifications.consent import staff_decisions
from sandbox.services.web_push.encryption import encoded, point_of
from tests.factories import ContactFactory, SystemFactory, WeddingFactory
from wedsync import vault
from wedsync.weddings import personal_links
from wedsync.weddings.models import Address, AddressChange, Contact, Device, PersonalLink

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
    anna: Contact = ContactFactory(role="couple")
    found = read()

    subscriptions.subscribe(personal_links.issue(anna), found, "Firefox on Android")
    subscriptions.subscribe(personal_links.issue(anna), found, "Firefox on Android")

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
def test_ending_it_removes_its_address_and_subscribing_again_is_a_new_consent() -> None:
    anna: Contact = ContactFactory(role="couple")
    found = read()
    subscriptions.subscribe(personal_links.issue(anna), found)

    assert subscriptions.unsubscribe(anna, MOZILLA)
    assert not subscriptions.unsubscribe(anna, MOZILLA)

    assert not Address.objects.exists()
    assert not Device.objects.exists()

    subscriptions.subscribe(personal_links.issue(anna), found)

    assert Address.objects.get().blocked_because == ""


@pytest.mark.django_db
def test_one_that_had_ended_counts_again_when_it_is_taken_up_again() -> None:
    anna: Contact = ContactFactory(role="couple")
    subscriptions.subscribe(personal_links.issue(anna), read())
    subscriptions.end(anna.organization_id, endpoints.address_of(MOZILLA))
    assert not Address.objects.exists()
    assert not Device.objects.exists()

    subscriptions.subscribe(personal_links.issue(anna), read())

    assert Address.objects.get().blocked_because == ""


@pytest.mark.django_db
def test_a_renewed_one_replaces_the_contacts_own_only() -> None:
    anna: Contact = ContactFactory(role="couple", name="Anna")
    ben: Contact = ContactFactory(role="couple", name="Ben", organization=anna.organization, wedding=anna.wedding)
    for contact in (anna, ben):
        subscriptions.subscribe(personal_links.issue(contact), read())

    subscriptions.subscribe(personal_links.issue(anna), read(f"{MOZILLA}new"), replaces=MOZILLA)

    old, new = endpoints.address_of(MOZILLA), endpoints.address_of(f"{MOZILLA}new")
    assert values() == {("Anna", new), ("Ben", old)}


@pytest.mark.django_db
def test_only_what_a_contact_still_has_is_renewed() -> None:
    anna: Contact = ContactFactory(role="couple")
    ben: Contact = ContactFactory(role="couple", organization=anna.organization, wedding=anna.wedding)
    subscriptions.subscribe(personal_links.issue(anna), read(), "Firefox")

    assert not subscriptions.renew(personal_links.issue(ben), read(f"{MOZILLA}new"), replaces=MOZILLA)
    assert subscriptions.renew(personal_links.issue(anna), read(f"{MOZILLA}new"), replaces=MOZILLA)

    (device,) = Device.objects.all()
    assert (device.contact, device.value, device.name) == (anna, endpoints.address_of(f"{MOZILLA}new"), "Firefox")


@pytest.mark.django_db
def test_what_staff_have_ended_is_not_renewed() -> None:
    anna: Contact = ContactFactory(role="couple")
    subscriptions.subscribe(personal_links.issue(anna), read())
    staff_decisions.opt_out(Address.objects.get(), by="Ines", reason="asked by phone")

    assert not subscriptions.renew(personal_links.issue(anna), read(), replaces=MOZILLA)
    assert not subscriptions.renew(personal_links.issue(anna), read(f"{MOZILLA}new"), replaces=MOZILLA)

    assert Address.objects.get().blocked_because == "opted_out"


@pytest.mark.django_db
def test_it_is_offered_where_the_organization_sends_and_this_copy_can(settings: Any) -> None:
    system = SystemFactory(kind="web_push")

    assert subscriptions.offered_key(system.organization_id) == keys.public_key()
    assert subscriptions.offered_key(ContactFactory(role="couple").organization_id) == ""
    settings.VAPID_PRIVATE_KEY = ""
    assert subscriptions.offered_key(system.organization_id) == ""


@pytest.mark.django_db
def test_of_two_people_at_one_browser_one_may_leave() -> None:
    anna: Contact = ContactFactory(role="couple", name="Anna")
    ben: Contact = ContactFactory(role="couple", name="Ben", organization=anna.organization, wedding=anna.wedding)
    for contact in (anna, ben):
        subscriptions.subscribe(personal_links.issue(contact), read())

    subscriptions.unsubscribe(anna, MOZILLA)

    assert values() == {("Ben", endpoints.address_of(MOZILLA))}
    assert Address.objects.get().blocked_because == ""


@pytest.mark.django_db
def test_a_contact_has_at_most_ten_and_the_oldest_goes() -> None:
    anna: Contact = ContactFactory(role="couple")
    for number in range(subscriptions.MOST + 1):
        subscriptions.subscribe(personal_links.issue(anna), read(f"{MOZILLA}{number}"))

    kept = {device.value for device in Device.objects.all()}
    assert len(kept) == subscriptions.MOST
    assert endpoints.address_of(f"{MOZILLA}0") not in kept
    assert {address.value for address in Address.objects.all()} == kept


@pytest.mark.django_db
@pytest.mark.parametrize("change", [{"role": "coordinator"}, {"wedding": None}])
def test_it_ends_when_the_contact_moves_or_loses_the_role(change: dict[str, Any]) -> None:
    anna: Contact = ContactFactory(role="couple")
    subscriptions.subscribe(personal_links.issue(anna), read())
    moved = {"wedding": WeddingFactory(organization=anna.organization)} if "wedding" in change else change
    Contact.objects.filter(pk=anna.pk).update(**moved)
    anna.refresh_from_db()

    assert anna.addresses(subscriptions.CHANNEL) == ()
    subscriptions.end_with_their_links(anna)

    assert not Device.objects.exists()
    assert not Address.objects.exists()


@pytest.mark.django_db
def test_it_ends_with_its_own_link_and_not_with_another() -> None:
    anna: Contact = ContactFactory(role="couple")
    first, second = personal_links.issue(anna), personal_links.issue(anna)
    subscriptions.subscribe(first, read())
    subscriptions.subscribe(second, read(f"{MOZILLA}2"))

    personal_links.revoke(PersonalLink.objects.filter(pk=first.pk), "Ines")
    assert values() == {(anna.name, endpoints.address_of(f"{MOZILLA}2"))}

    PersonalLink.objects.filter(pk=second.pk).update(expires_at=timezone.now())
    assert anna.addresses(subscriptions.CHANNEL) == ()


@pytest.mark.django_db
def test_what_staff_have_ended_is_kept_when_its_device_goes() -> None:
    anna: Contact = ContactFactory(role="couple")
    link = personal_links.issue(anna)
    subscriptions.subscribe(link, read())
    staff_decisions.opt_out(Address.objects.get(), by="Ines", reason="asked by phone")

    personal_links.revoke(PersonalLink.objects.filter(pk=link.pk), "Ines")

    assert Address.objects.get().blocked_because == "opted_out"
