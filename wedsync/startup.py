"""Checks the configuration before any process of WedSync starts to work."""

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.http.request import validate_host

from wedsync import vault
from wedsync.env import ConfigurationError

_HOST_NAME = re.compile(r"\*|\.?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*|\[[0-9A-Fa-f:.]+\]", re.ASCII)


def verify() -> None:
    """Refuse a configuration that would later lose or duplicate deliveries.

    Raises:
        ConfigurationError: the first rule that is violated, with the names of the variables.
    """
    if not settings.DEBUG or settings.SECRET_KEYS:
        vault.check_keys()
    if not settings.DEBUG:
        check_hosts(settings.ALLOWED_HOSTS, settings.PUBLIC_URL)
    quickest = max(settings.RETRY_QUICK_SECONDS, default=0)
    for lease, deadline in (("LEASE", "CALL_DEADLINE"), ("URGENT_LEASE", "URGENT_DEADLINE")):
        held, call = getattr(settings, f"{lease}_SECONDS"), getattr(settings, f"{deadline}_SECONDS")
        if not settings.VISIBILITY_TIMEOUT_SECONDS > held > call:
            raise ConfigurationError(
                f"WEDSYNC_VISIBILITY_TIMEOUT_SECONDS ({settings.VISIBILITY_TIMEOUT_SECONDS:g}) must be greater than "
                f"WEDSYNC_{lease}_SECONDS ({held:g}), and that greater than WEDSYNC_{deadline}_SECONDS ({call:g}): "
                "otherwise a delivery may be sent twice"
            )
        if quickest >= held:
            raise ConfigurationError(
                f"each of WEDSYNC_RETRY_QUICK_SECONDS must be shorter than WEDSYNC_{lease}_SECONDS"
            )


def check_hosts(allowed: Sequence[str], public_url: str) -> None:
    """Refuse host names with which nobody could reach a page.

    Raises:
        ConfigurationError: there are none, one is not a host name, or the public URL's host is not among them.
    """
    if not allowed:
        raise ConfigurationError(
            "WEDSYNC_ALLOWED_HOSTS is empty, so every page would answer 400. List the host of WEDSYNC_PUBLIC_URL and "
            "any others, separated by commas"
        )
    for name in allowed:
        if not _HOST_NAME.fullmatch(name):
            raise ConfigurationError(
                f"WEDSYNC_ALLOWED_HOSTS has {name!r}, which is not a host name. Omit scheme, port and path, "
                "for instance wedsync.example, or .wedsync.example for all names below it"
            )
    host = urlsplit(public_url).hostname or ""
    if not validate_host(f"[{host}]" if ":" in host else host, allowed):
        raise ConfigurationError(
            f"WEDSYNC_ALLOWED_HOSTS ({', '.join(allowed)}) does not include {host!r}, the host of WEDSYNC_PUBLIC_URL "
            f"({public_url}), so links would lead to pages that answer 400. Add it, or correct the URL"
        )


@register()
def configuration_check(**_: object) -> list[CheckMessage]:
    """:func:`verify` as a system check, so that ``manage.py check`` reports it."""
    try:
        verify()
    except ConfigurationError as error:
        return [Error(str(error), id="wedsync.E001")]
    return []
