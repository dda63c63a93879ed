"""Which push services may be called: a browser names the URL, so it is checked like any URL that a stranger typed.

It must lead to a known push service over https, or to a host that the operator lists; whether its addresses are public
is checked again at each call (:mod:`integrations.outbound`). docs/adr/0110.
"""

import hashlib

from django.conf import settings

from integrations.outbound import check_target, read_origin

KNOWN = (
    "fcm.googleapis.com",
    "updates.push.services.mozilla.com",
    "*.push.apple.com",
    "*.notify.windows.com",
)
LONGEST = 2000  # characters
_HTTPS = 443


def check(endpoint: str) -> None:
    """Accept the URL of a push service.

    Raises:
        ValueError: why it may not be called; a sentence without the URL.
    """
    if len(endpoint) > LONGEST:
        raise ValueError(f"The endpoint is longer than {LONGEST} characters.")
    check_target(endpoint, settings.OUTBOUND_ALLOW)
    origin = read_origin(endpoint)
    if _is_listed(origin.host, settings.PUSH_HOSTS):
        return
    if not _is_listed(origin.host, KNOWN):
        raise ValueError("This browser's push service is not a known one. An operator can add it: WEDSYNC_PUSH_HOSTS.")
    if (origin.scheme, origin.port) != ("https", _HTTPS):
        raise ValueError("A push service is called over https, on its usual port.")


def origin_of(endpoint: str) -> str:
    """The origin for which a VAPID token is made, such as ``https://fcm.googleapis.com``."""
    origin = read_origin(endpoint)
    return f"{origin.scheme}://{origin.header}"


def address_of(endpoint: str) -> str:
    """The address under which deliveries name a subscription: anybody who knows its URL could write to it."""
    return hashlib.sha256(endpoint.encode()).hexdigest()


def _is_listed(host: str, listed: tuple[str, ...]) -> bool:
    return any(host.endswith(each[1:]) if each.startswith("*.") else host == each for each in listed)
