"""Mail over SMTP inside TLS: after STARTTLS, and from the beginning."""

from __future__ import annotations

import base64
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from integrations.errors import DeliveryError, NetworkError, ServerError, TimedOut
from integrations.states import Outcome
from notifications.channels.email import smtp
from tests.integrations.outbound.certificates import self_signed, server_context
from tests.notifications.channels.mails import MailServer, mail_server, sent, through

LOGIN = {"username": "hub", "password": "sesame"}
PLAIN = "AUTH PLAIN " + base64.b64encode(b"\0hub\0sesame").decode()
WITH_TLS = ("STARTTLS", "AUTH PLAIN LOGIN")
pytestmark = pytest.mark.django_db


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ssl.SSLContext]:
    """For a server on 127.0.0.1, with a certificate that is made an authority the way that an operator does it."""
    file = self_signed(tmp_path, "127.0.0.1")
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    smtp.tls_context.cache_clear()
    yield server_context(file, [])
    smtp.tls_context.cache_clear()


def words(server: MailServer) -> list[str]:
    """The first word of each command."""
    return [line.partition(" ")[0].upper() for line in server.commands]


def test_a_mail_and_the_login_go_inside_tls_after_starttls(tls: ssl.SSLContext, settings: Any) -> None:
    with mail_server(tls=tls, extensions=WITH_TLS) as server:
        sent(through(server, settings, {"tls": "starttls"} | LOGIN))

    assert words(server) == ["EHLO", "STARTTLS", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", "QUIT"]
    assert PLAIN in server.commands
    assert len(server.mails) == 1


def test_a_mail_goes_inside_tls_from_the_beginning(tls: ssl.SSLContext, settings: Any) -> None:
    with mail_server(tls=tls, implicit=True) as server:
        sent(through(server, settings, {"tls": "implicit"} | LOGIN))

    assert words(server) == ["EHLO", "AUTH", "MAIL", "RCPT", "DATA", "QUIT"]
    assert len(server.mails) == 1


def test_what_was_said_before_tls_is_forgotten(tls: ssl.SSLContext, settings: Any) -> None:
    smuggled = b"220 go on\r\n250-mail.test\r\n250 AUTH LOGIN\r\n"
    with mail_server(tls=tls, extensions=WITH_TLS, replies={"STARTTLS": smuggled}) as server:
        sent(through(server, settings, {"tls": "starttls"} | LOGIN))

    assert PLAIN in server.commands


@pytest.mark.parametrize("way", ["starttls", "implicit"])
def test_a_certificate_that_nobody_vouches_for_gets_no_password(way: str, tmp_path: Path, settings: Any) -> None:
    stranger = server_context(self_signed(tmp_path, "127.0.0.1"), [])
    with mail_server(tls=stranger, implicit=way == "implicit", extensions=WITH_TLS) as server:
        row = through(server, settings, {"tls": way} | LOGIN)
        with pytest.raises(NetworkError, match="certificate was not accepted") as raised:
            sent(row)

    assert raised.value.outcome == Outcome.FAILED
    assert words(server) == (["EHLO", "STARTTLS"] if way == "starttls" else [])


@pytest.mark.parametrize(("reply", "error"), [(b"454 4.3.0 no TLS today\r\n", ServerError), (None, NetworkError)])
def test_a_server_that_does_not_begin_tls_gets_no_password(
    reply: bytes | None, error: type[DeliveryError], settings: Any
) -> None:
    with mail_server(extensions=WITH_TLS, replies={"STARTTLS": reply}) as server:
        row = through(server, settings, {"tls": "starttls"} | LOGIN)
        with pytest.raises(error):
            sent(row)

    assert words(server) == ["EHLO", "STARTTLS"]


@pytest.mark.parametrize(("word", "error"), [("AUTH", NetworkError), ("END", TimedOut)])
def test_a_server_that_drips_inside_tls_holds_no_thread_beyond_the_deadline(
    word: str, error: type[DeliveryError], tls: ssl.SSLContext, settings: Any
) -> None:
    with mail_server(tls=tls, extensions=WITH_TLS, drips=word) as server:
        row = through(server, settings, {"tls": "starttls"} | LOGIN)
        with pytest.raises(error, match="deadline"):
            sent(row, deadline=0.6)


def test_a_handshake_that_is_not_answered_ends_by_the_deadline(settings: Any) -> None:
    with mail_server(extensions=WITH_TLS) as server:
        row = through(server, settings, {"tls": "starttls"} | LOGIN)
        with pytest.raises(NetworkError, match="no TLS handshake within the deadline"):
            sent(row, deadline=0.4)

    assert words(server) == ["EHLO", "STARTTLS"]
