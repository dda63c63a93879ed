"""How the sign-in guard identifies a sender."""

from django.http import HttpRequest

from webhooks.limits import sender_name


def address_of(request: HttpRequest) -> str:
    """The sender's address, or its /64 network for IPv6, as for webhooks.

    Behind proxies in ``WEDSYNC_TRUSTED_PROXIES`` the web process has put the client's own address here.
    """
    address = request.META.get("REMOTE_ADDR") or "0.0.0.0"  # noqa: S104  (a sender without an address, not a listener)
    return sender_name(address)
