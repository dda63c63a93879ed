"""Whether a page that opens a socket is one of our own, since browsers send the session's cookie from any page."""

from typing import Any
from urllib.parse import SplitResult, urlsplit

from channels.security.websocket import OriginValidator
from django.conf import settings

DEFAULT_PORTS = {"http": 80, "https": 443}
Origin = tuple[str, str, int]  # scheme, host, port


def is_our_own(scope: dict[str, Any], hosts: OriginValidator) -> bool:
    """Whether the request names exactly one origin (scheme, host and port), and it is ours.

    Our origins are the one that the request itself was sent to, under an allowed host, and the public URL.

    Arguments:
        hosts: checks the host by ``ALLOWED_HOSTS``, so that a name that somebody else points at us is not ours.
    """
    given = _header(scope, b"origin")
    if given is None or (origin := _origin(given)) is None:
        return False
    if origin == _origin(settings.PUBLIC_URL):
        return True
    called = _origin(f"{scheme_of(scope)}://{_header(scope, b'host')}")
    return origin == called and bool(hosts.valid_origin(urlsplit(given)))


def scheme_of(scope: dict[str, Any]) -> str:
    """``https`` behind TLS, including TLS that a proxy terminates, as for pages."""
    if trusted := getattr(settings, "SECURE_PROXY_SSL_HEADER", None):
        name, value = trusted
        if _header(scope, name.removeprefix("HTTP_").replace("_", "-").lower().encode()) == value:
            return "https"
    return "https" if scope.get("scheme") in {"wss", "https"} else "http"


def _header(scope: dict[str, Any], name: bytes) -> str | None:
    """A header's value; ``None`` where it is missing or given twice."""
    values = [value.decode("latin-1") for key, value in scope["headers"] if key == name]
    return values[0] if len(values) == 1 else None


def _origin(url: str) -> Origin | None:
    """Scheme, host and port (by default the scheme's own); ``None``: not readable."""
    try:
        parts: SplitResult = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname or parts.username is not None:
        return None
    return parts.scheme, parts.hostname.rstrip("."), port if port is not None else DEFAULT_PORTS[parts.scheme]
