"""Our VAPID keys, by which push services know who sends: RFC 8292. Every copy of the product has one pair.

A browser's subscription belongs to the public key for which it was made, so a new pair ends all of them.
"""

from base64 import urlsafe_b64encode
from functools import lru_cache
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings
from django.utils import timezone
from py_vapid import Vapid02

from notifications.channels.web_push import endpoints
from wedsync.env import ConfigurationError

VALID_FOR = 12 * 3600
"""Seconds; RFC 8292 allows a day, and the other side's clock may be wrong."""


def is_set() -> bool:
    """Whether this copy can send at all."""
    return bool(settings.VAPID_PRIVATE_KEY)


def public_key() -> str:
    """The public key, as a page hands it to its browser.

    Raises:
        ConfigurationError: this copy has none.
    """
    return _pair(settings.VAPID_PRIVATE_KEY)[1]


def authorization(endpoint: str) -> str:
    """The ``Authorization`` header for one call.

    Raises:
        ConfigurationError: a key or the contact is missing.
    """
    claims = {
        "aud": endpoints.origin_of(endpoint),
        "exp": int(timezone.now().timestamp()) + VALID_FOR,
        "sub": _contact(),
    }
    header: str = _pair(settings.VAPID_PRIVATE_KEY)[0].sign(claims)["Authorization"]
    return header


@lru_cache(maxsize=2)
def _pair(private: str) -> tuple[Vapid02, str]:
    if not private:
        raise ConfigurationError("WEDSYNC_VAPID_PRIVATE_KEY is not set. `python manage.py vapid_keys` makes a pair")
    vapid = Vapid02.from_raw(private.encode())
    point = vapid.public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return vapid, urlsafe_b64encode(point).decode().rstrip("=")


def _contact() -> str:
    """Whom a push service's operators may ask: the setting, or our own host where it is public."""
    public = urlsplit(settings.PUBLIC_URL)
    found: str = settings.VAPID_CONTACT or (f"https://{public.hostname}" if public.scheme == "https" else "")
    if not found:
        raise ConfigurationError("WEDSYNC_VAPID_CONTACT is not set. Push services require a mailto: or https: address")
    return found
