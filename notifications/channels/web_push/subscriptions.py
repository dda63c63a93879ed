"""Subscriptions of people's browsers: taken up, renewed and ended. The subscription itself is the person's consent.

What a browser gives is stored encrypted: whoever has it could write to that browser. Deliveries, messages and pages
name a subscription by the SHA-256 of its endpoint.
"""

import json
import re
from base64 import urlsafe_b64decode
from dataclasses import asdict, dataclass
from datetime import timedelta
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric import ec
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from integrations.models import System
from notifications.channels.web_push import endpoints, keys
from notifications.consent import address_marks
from wedsync import vault
from wedsync.weddings import devices
from wedsync.weddings.models import Address, Contact, ContactChannel, Device, PersonalLink

CHANNEL = ContactChannel.WEB_PUSH
MOST = 10
"""Subscriptions of one contact; a further one replaces the oldest."""
FAILS_FOR = timedelta(days=3)
"""How long an endpoint may fail, without accepting any message, before its subscription ends."""
_SOURCE = "the person, in their browser"
_POINT, _SECRET = 65, 16  # bytes of p256dh and auth: RFC 8291
_BASE64 = re.compile(r"[A-Za-z0-9_-]{1,200}=*")


@dataclass(frozen=True)
class Subscription:
    """What a browser gives, with the public key of ours for which it was made."""

    endpoint: str
    p256dh: str
    auth: str
    key: str

    @property
    def address(self) -> str:
        """The address under which deliveries name it."""
        return endpoints.address_of(self.endpoint)


def offered_key(organization_id: UUID) -> str:
    """The public key for an organization's pages; empty where it does not send, or this copy cannot."""
    systems = System.objects.filter(organization_id=organization_id, kind=System.Kind.WEB_PUSH)
    sends = systems.exclude(state=System.Status.DISABLED).exists()
    return keys.public_key() if sends and keys.is_set() else ""


def read(given: object) -> Subscription:
    """A browser's ``PushSubscription`` as JSON, made for our current key.

    Raises:
        ValueError: it is not one, or leads to a host that is not called; a sentence for people.
        ConfigurationError: this copy has no key.
    """
    endpoint, p256dh, auth = _texts_of(given)
    endpoints.check(endpoint)
    _check_keys(p256dh, auth)
    return Subscription(endpoint, p256dh.rstrip("="), auth.rstrip("="), keys.public_key())


@transaction.atomic
def subscribe(link: PersonalLink, found: Subscription, name: str = "", *, replaces: str = "") -> None:
    """Store a subscription of a link's contact, which ends with the link; calling this again changes nothing.

    Arguments:
        name: the browser and the system, for people.
        replaces: the endpoint of the contact's own subscription that this one renews; empty: none.
    """
    contact = link.contact
    if replaces and replaces != found.endpoint:
        devices.end(_of(contact, endpoints.address_of(replaces)))
    sealed = vault.encrypt(json.dumps(asdict(found)))
    Device.objects.update_or_create(
        contact=contact,
        channel=CHANNEL,
        value=found.address,
        defaults={"organization_id": contact.organization_id, "link": link, "sealed": sealed, "name": name[:100]},
    )
    address_marks.registered(contact.organization_id, CHANNEL, found.address, timezone.now(), source=_SOURCE)
    newest = Device.objects.filter(contact=contact, channel=CHANNEL).order_by("-id").values_list("id", flat=True)
    devices.end(Device.objects.filter(id__in=list(newest[MOST:])))


@transaction.atomic
def renew(link: PersonalLink, found: Subscription, *, replaces: str) -> bool:
    """Store what has become of a subscription; false where the link's contact has neither it nor the one it replaces.

    It is no new consent: what the person or staff have ended stays ended.
    """
    contact = link.contact
    known = [endpoints.address_of(replaces), found.address]
    device = Device.objects.filter(contact=contact, channel=CHANNEL, value__in=known).first()
    addresses = Address.objects.filter(organization_id=contact.organization_id, channel=CHANNEL, value__in=known)
    if device is None or any(address.blocked_because for address in addresses):
        return False
    subscribe(link, found, device.name, replaces=replaces)
    return True


@transaction.atomic
def unsubscribe(contact: Contact, endpoint: str) -> bool:
    """End a contact's subscription; false where there was none."""
    return devices.end(_of(contact, endpoints.address_of(endpoint))) > 0


def end(organization_id: UUID, address: str) -> None:
    """Nobody can be reached there any more."""
    devices.end(Device.objects.filter(organization_id=organization_id, channel=CHANNEL, value=address))


@transaction.atomic
def note_failure(organization_id: UUID, address: str) -> None:
    """Its endpoint has failed; it ends once no message has been accepted for :data:`FAILS_FOR`."""
    rows = Device.objects.filter(organization_id=organization_id, channel=CHANNEL, value=address)
    rows.filter(failing_since=None).update(failing_since=timezone.now())
    devices.end(rows.filter(failing_since__lt=timezone.now() - FAILS_FOR))


def note_success(organization_id: UUID, address: str) -> None:
    """Its endpoint has accepted a message."""
    rows = Device.objects.filter(organization_id=organization_id, channel=CHANNEL, value=address)
    rows.filter(failing_since__isnull=False).update(failing_since=None)


def end_with_their_links(contact: Contact) -> None:
    """End the contact's subscriptions whose links have ended, or may no longer be used by them."""
    own = Device.objects.filter(contact=contact, channel=CHANNEL).select_related("link")
    ended = [device.id for device in own if not contact.may_use(device.link)]
    devices.end(Device.objects.filter(id__in=ended))


def of(contact_id: UUID | None, address: str) -> Subscription | None:
    """A contact's subscription, decrypted for one call; ``None``: it has ended.

    Raises:
        ConfigurationError: it cannot be decrypted.
    """
    found = Device.objects.filter(contact=contact_id, channel=CHANNEL, value=address).first() if contact_id else None
    return Subscription(**json.loads(vault.decrypt(found.sealed))) if found else None


def _of(contact: Contact, address: str) -> QuerySet[Device]:
    return Device.objects.filter(contact=contact, channel=CHANNEL, value=address)


def _texts_of(given: object) -> tuple[str, str, str]:
    match given:
        case {"endpoint": str(endpoint), "keys": {"p256dh": str(p256dh), "auth": str(auth)}}:
            return endpoint, p256dh, auth
    raise ValueError("Send the subscription as the browser gives it: endpoint, and keys with p256dh and auth.")


def _check_keys(p256dh: str, auth: str) -> None:
    try:
        point, secret = _decoded(p256dh), _decoded(auth)
        if (len(point), len(secret)) != (_POINT, _SECRET):
            raise ValueError("another length")
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except ValueError as error:
        raise ValueError("p256dh must be a point of P-256, and auth 16 bytes, both in URL-safe base64.") from error


def _decoded(text: str) -> bytes:
    if not _BASE64.fullmatch(text):
        raise ValueError("not base64")
    bare = text.rstrip("=")
    return urlsafe_b64decode(bare + "=" * (-len(bare) % 4))
