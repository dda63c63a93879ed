"""The demo's systems, all played by the sandbox: their credentials, their connections, and the sandbox's accounts."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings

from integrations.models import Connection, ConnectionSecret, ExternalReference, System
from integrations.vendors import VENDORS
from notifications.channels.web_push import keys, subscriptions
from notifications.channels.whatsapp.templates import EARLIER, SHIPPED
from webhooks.callbacks.receiver import PREFIX as CALLBACKS_PREFIX
from webhooks.vendor_events.receiver import PREFIX
from wedsync import vault
from wedsync.demo.secret_values import DemoSecrets
from wedsync.weddings import personal_links
from wedsync.weddings.models import Contact, Device, Organization, PersonalLink, Wedding

MAIL_DOMAIN = "wedsync.example"
SMS_NUMBER = "+12025550199"
PUSHED_PHONE = "Anna's phone"
COORDINATION, PLANNING, CATERING = "#wedding-coordination", "#planning", "#catering"
_Kind, _Purpose = System.Kind, ConnectionSecret.Purpose

Systems = Mapping[str, System]
"""By name."""
Doors = dict[str, dict[str, str]]
"""What a script needs to use a connection, by the word in the URL or the vendor's slug."""


@dataclass(frozen=True)
class _Callbacks:
    """A provider that calls back: the word in its URL, the system that it belongs to, and what it signs with."""

    slug: str
    system: str
    signing: str
    handshake: str = ""


def connect(organization: Organization, secret: DemoSecrets) -> Systems:
    """Connect every system, with the sandbox's current address."""
    sender = f"Lakeside Weddings <hello@{MAIL_DOMAIN}>"
    whatsapp = {"access_token": secret.whatsapp_token, "phone_number_id": secret.whatsapp_number_id}
    sms = {"account_sid": secret.twilio_account_sid, "auth_token": secret.twilio_token, "sender": SMS_NUMBER}
    rows: list[tuple[str, System.Kind, str, dict[str, str]]] = [
        ("WhatsApp", _Kind.WHATSAPP, "whatsapp", whatsapp),
        ("Email", _Kind.EMAIL, "resend", {"api_key": secret.resend_key, "from": sender}),
        ("SMS", _Kind.SMS, "twilio", sms),
        ("Web Push", _Kind.WEB_PUSH, "web_push", {}),
    ]
    rows += [(name, _Kind.SLACK, "slack", {"webhook_path": path}) for name, path in _slack_paths(secret).items()]
    rows += [(vendor.label, _Kind(slug), slug, _vendor_account(secret, slug)) for slug, vendor in VENDORS.items()]
    return {name: _connected(organization, name, kind, path, own) for name, kind, path, own in rows}


def _connected(
    organization: Organization, name: str, kind: System.Kind, path: str, credentials: dict[str, str]
) -> System:
    base_url = f"{settings.SANDBOX_URL}/{path}"
    system, made = System.objects.get_or_create(
        organization=organization, name=name, defaults={"kind": kind, "base_url": base_url}
    )
    if made:
        system.seal_credentials(credentials)
    system.base_url = base_url
    system.save()
    return system


def open_doors(systems: Systems, wedding: Wedding, secret: DemoSecrets) -> Doors:
    """A connection for each vendor, and for each provider that calls back.

    The wedding is booked with two of the vendors: what the others send names it by our own id, or stays unlinked.
    """
    doors = {}
    for slug, vendor in VENDORS.items():
        system, own = systems[vendor.label], secret.of_vendor(slug)
        doors[slug] = _door(system, PREFIX, {_Purpose.SIGNING: own.inbound})
        if own.booking:
            _book(system, wedding, own.booking)
            doors[slug]["booking_id"] = own.booking
    for callbacks in _providers(secret):
        secrets = {_Purpose.SIGNING: callbacks.signing, _Purpose.HANDSHAKE: callbacks.handshake}
        doors[callbacks.slug] = _door(systems[callbacks.system], f"{CALLBACKS_PREFIX}/{callbacks.slug}", secrets)
    return doors


def _providers(secret: DemoSecrets) -> list[_Callbacks]:
    """The providers that call back. Slack's three webhooks belong to one app, which has one URL for all buttons."""
    return [
        _Callbacks("whatsapp", "WhatsApp", secret.whatsapp_app_secret, secret.whatsapp_verify_token),
        _Callbacks("resend", "Email", secret.resend_webhook_secret),
        _Callbacks("twilio", "SMS", secret.twilio_token),
        _Callbacks("slack", COORDINATION, secret.slack_signing_secret),
    ]


def _book(system: System, wedding: Wedding, booking: str) -> None:
    ExternalReference.objects.get_or_create(
        organization=system.organization, system=system, external_id=booking, defaults={"wedding": wedding}
    )


def _door(system: System, path: str, secrets: Mapping[ConnectionSecret.Purpose, str]) -> dict[str, str]:
    connection, made = Connection.objects.get_or_create(organization=system.organization, system=system)
    if made:
        for purpose, text in secrets.items():
            if text:
                ConnectionSecret.objects.create(connection=connection, purpose=purpose, sealed=vault.encrypt(text))
    url = f"{settings.PUBLIC_URL}{path}/{connection.id}"
    return {"id": connection.id, "url": url, "secret": secrets[_Purpose.SIGNING]}


def _slack_paths(secret: DemoSecrets) -> dict[str, str]:
    return {
        COORDINATION: secret.slack_coordination,
        PLANNING: secret.slack_planning,
        CATERING: secret.slack_catering,
    }


def _vendor_account(secret: DemoSecrets, slug: str) -> dict[str, str]:
    own = secret.of_vendor(slug)
    return {"access_token": own.token, "signing_secret": own.signing}


def subscribe_phone(contact: Contact, secret: DemoSecrets) -> None:
    """A browser of a contact has asked for notifications; the sandbox plays it and its push service."""
    number = int.from_bytes(urlsafe_b64decode(secret.push_private_key + "="), "big")
    point = (
        derive_private_key(number, SECP256R1()).public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    )
    given = {
        "endpoint": f"{settings.SANDBOX_URL}/web_push/send/{secret.push_token}",
        "keys": {"p256dh": urlsafe_b64encode(point).decode(), "auth": secret.push_auth},
    }
    found = subscriptions.read(given)
    Device.objects.filter(contact=contact, name=PUSHED_PHONE).exclude(value=found.address).delete()
    own = personal_links.usable().filter(contact=contact, purpose=PersonalLink.Purpose.PAGE).first()
    subscriptions.subscribe(own or personal_links.issue(contact), found, PUSHED_PHONE)


def sandbox_accounts(secret: DemoSecrets, doors: Doors) -> dict[str, Any]:
    """The content of ``sandbox.json``: the outside accounts, which call back at the connections."""
    whatsapp = {
        "phone_number_id": secret.whatsapp_number_id,
        "access_token": secret.whatsapp_token,
        "display_phone_number": "+12025550100",
        "app_secret": secret.whatsapp_app_secret,
        "verify_token": secret.whatsapp_verify_token,
        "callback_url": doors["whatsapp"]["url"],
        "templates": [*SHIPPED, *EARLIER],
    }
    resend = {
        "api_key": secret.resend_key,
        "domains": [MAIL_DOMAIN],
        "webhook_secret": secret.resend_webhook_secret,
        "callback_url": doors["resend"]["url"],
    }
    slack = {
        "webhooks": [{"path": path, "channel": channel} for channel, path in _slack_paths(secret).items()],
        "signing_secret": secret.slack_signing_secret,
        "callback_url": doors["slack"]["url"],
    }
    twilio = {
        "account_sid": secret.twilio_account_sid,
        "auth_token": secret.twilio_token,
        "numbers": [SMS_NUMBER],
        "callback_url": doors["twilio"]["url"],
    }
    phone = {
        "token": secret.push_token,
        "name": PUSHED_PHONE,
        "private_key": secret.push_private_key,
        "auth": secret.push_auth,
        "server_key": keys.public_key(),
    }
    push = {"subscriptions": [phone]}
    vendors = {slug: _vendor_account(secret, slug) for slug in VENDORS}
    accounts = {"whatsapp": whatsapp, "resend": resend, "twilio": twilio}
    return {
        **{slug: {"accounts": [account]} for slug, account in accounts.items()},
        "slack": slack,
        "web_push": push,
        **vendors,
    }
