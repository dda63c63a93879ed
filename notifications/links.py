"""Links that need no login: to acknowledge an emergency, choose its wedding, unsubscribe, open the couple's page.

Such a link is a capability. A stored message has a placeholder in its place, which each try replaces (:func:`fill`), so
no row of a message holds the link and no page shows it. What a provider repeats in a callback is stored as received. A
delivery's link never changes, so that retries send the same bytes.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from uuid import UUID

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.utils.crypto import salted_hmac

from integrations.models import Delivery
from wedsync.weddings import personal_links

_mark = salted_hmac("wedsync.placeholder", "links", algorithm="sha256").hexdigest()[:24]  # outsiders cannot guess it
ACKNOWLEDGE_URL = f"https://acknowledge.{_mark}.invalid/"
ACKNOWLEDGE_TOKEN = f"acknowledge-{_mark}"
UNSUBSCRIBE_URL = f"https://unsubscribe.{_mark}.invalid/"
WEDDING_URL = f"https://wedding.{_mark}.invalid/"
COUPLE_URL = f"https://couple.{_mark}.invalid/"
COUPLE_PATH = "/couple/open/"
ACKNOWLEDGE_PATH, UNSUBSCRIBE_PATH, WEDDING_PATH = "/acknowledge/", "/unsubscribe/", "/emergency/"
_acknowledging = Signer(salt="wedsync.acknowledge")
_unsubscribing = Signer(salt="wedsync.unsubscribe")
_choosing = Signer(salt="wedsync.emergency")


class BadLink(ValueError):
    """Not one of ours, or damaged."""


def fill(text: str, delivery: Delivery) -> str:
    """A frozen body with the delivery's own links in place of their placeholders."""
    if ACKNOWLEDGE_URL in text or ACKNOWLEDGE_TOKEN in text:
        token = acknowledge_token(delivery.id)
        text = text.replace(ACKNOWLEDGE_URL, f"{settings.PUBLIC_URL}{ACKNOWLEDGE_PATH}{token}/")
        text = text.replace(ACKNOWLEDGE_TOKEN, token)
    if UNSUBSCRIBE_URL in text:
        token = unsubscribe_token(delivery.id)
        text = text.replace(UNSUBSCRIBE_URL, f"{settings.PUBLIC_URL}{UNSUBSCRIBE_PATH}{token}/")
    if WEDDING_URL in text:
        text = text.replace(WEDDING_URL, f"{settings.PUBLIC_URL}{WEDDING_PATH}{wedding_token(delivery.id)}/")
    if COUPLE_URL in text:
        text = text.replace(COUPLE_URL, couple_url(personal_links.token_of(delivery.id)))
    return text


def couple_url(token: str) -> str:
    """Where a personal link's token opens the couple's page."""
    return f"{settings.PUBLIC_URL}{COUPLE_PATH}{token}/"


def acknowledge_token(delivery_id: UUID) -> str:
    """The token by which a delivery's reader says “I'll take care of it”; 66 characters, safe in a URL."""
    return _acknowledging.sign(_short(delivery_id))


def read_acknowledge_token(token: str) -> UUID:
    """The delivery's id.

    Raises:
        BadLink: not one of ours.
    """
    return _read(_acknowledging, token)


def unsubscribe_token(delivery_id: UUID) -> str:
    """The token by which the reader of a delivery's email unsubscribes."""
    return _unsubscribing.sign(_short(delivery_id))


def read_unsubscribe_token(token: str) -> UUID:
    """The delivery's id.

    Raises:
        BadLink: not one of ours.
    """
    return _read(_unsubscribing, token)


def wedding_token(delivery_id: UUID) -> str:
    """The token by which its holder chooses the wedding of a delivery's emergency."""
    return _choosing.sign(_short(delivery_id))


def read_wedding_token(token: str) -> UUID:
    """The delivery's id.

    Raises:
        BadLink: not one of ours.
    """
    return _read(_choosing, token)


def _short(delivery_id: UUID) -> str:
    return urlsafe_b64encode(delivery_id.bytes).decode().rstrip("=")


def _read(signer: Signer, token: str) -> UUID:
    try:
        return UUID(bytes=urlsafe_b64decode(signer.unsign(token) + "=="))
    except (BadSignature, ValueError) as error:
        raise BadLink("This link is damaged or not one of ours.") from error
