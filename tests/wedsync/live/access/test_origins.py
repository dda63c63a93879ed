"""Which pages are our own: scheme, host and port."""

from typing import Any

import pytest
from channels.security.websocket import AllowedHostsOriginValidator

from wedsync.live.access.origins import is_our_own


def ours(settings: Any, origin: str | None, host: str = "wedsync.example", scheme: str = "wss", **more: str) -> bool:
    settings.ALLOWED_HOSTS = ["wedsync.example", "127.0.0.1"]
    settings.PUBLIC_URL = "https://wedsync.example"
    headers = [(b"host", host.encode()), *((name.encode(), value.encode()) for name, value in more.items())]
    if origin is not None:
        headers.append((b"origin", origin.encode()))
    return is_our_own({"scheme": scheme, "headers": headers}, AllowedHostsOriginValidator(None))


@pytest.mark.parametrize(
    ("origin", "host", "scheme"),
    [
        ("https://wedsync.example", "wedsync.example", "wss"),
        ("https://wedsync.example:443", "wedsync.example", "wss"),
        ("https://WedSync.example", "wedsync.example", "wss"),
        ("https://wedsync.example", "internal:8000", "ws"),  # the public URL, behind a proxy that renames
        ("http://127.0.0.1:8000", "127.0.0.1:8000", "ws"),
    ],
)
def test_our_own_pages_are_let_in(settings: Any, origin: str, host: str, scheme: str) -> None:
    assert ours(settings, origin, host, scheme)


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "",
        "null",
        "http://wedsync.example",
        "https://wedsync.example:8443",
        "https://wedsync.example.evil.example",
        "https://evil.example",
        "https://user@wedsync.example",
        "https://wedsync.example:x",
        "ws://wedsync.example",
        "wedsync.example",
        "https://",
    ],
)
def test_pages_of_another_scheme_host_or_port_are_not(settings: Any, origin: str | None) -> None:
    assert not ours(settings, origin)


@pytest.mark.parametrize("port", ["8001", "80"])
def test_another_port_of_this_machine_is_another_origin(settings: Any, port: str) -> None:
    assert not ours(settings, f"http://127.0.0.1:{port}", "127.0.0.1:8000", "ws")


def test_a_name_that_somebody_else_points_at_us_is_not_ours(settings: Any) -> None:
    assert not ours(settings, "http://evil.example:8000", "evil.example:8000", "ws")


def test_two_origins_are_none(settings: Any) -> None:
    settings.PUBLIC_URL = "https://wedsync.example"
    headers = [(b"origin", b"https://wedsync.example"), (b"origin", b"https://evil.example")]

    assert not is_our_own({"scheme": "wss", "headers": headers}, AllowedHostsOriginValidator(None))


def test_behind_a_proxy_that_ends_tls_the_scheme_is_what_the_proxy_says(settings: Any) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    said = {"x-forwarded-proto": "https"}

    assert ours(settings, "https://127.0.0.1", "127.0.0.1", "ws", **said)
    assert not ours(settings, "http://127.0.0.1", "127.0.0.1", "ws", **said)
