"""Mail over SMTP, against a server on a socket: what arrives, what errors mean, and that no server holds a thread."""

from __future__ import annotations

import base64
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest

from integrations.errors import (
    CredentialsRefused,
    DeliveryError,
    NetworkError,
    OurFault,
    Permanent,
    RecipientRefused,
    ServerError,
    Throttled,
    TimedOut,
    Undeliverable,
)
from integrations.states import Outcome
from notifications.channels.email.smtp import greeting_name
from notifications.channels.registry import CHANNELS
from tests.notifications.channels.mails import frozen, mail_server, sent, through
from wedsync.weddings.models import Address

PLAIN = "AUTH PLAIN " + base64.b64encode(b"\0hub\0sesame").decode()
pytestmark = pytest.mark.django_db


def test_a_mail_arrives_whole_and_is_the_same_at_each_try(settings: Any) -> None:
    with mail_server(extensions=("AUTH PLAIN LOGIN",)) as server:
        login = {"username": "hub", "password": "sesame", "reply_to": "office@wedsync.example"}
        row = through(server, settings, login)
        provider_id = sent(row)
        sent(row)

    first, second = server.mails
    assert first == second
    assert PLAIN in server.commands
    assert "MAIL FROM:<hello@wedsync.example>" in server.commands
    assert "RCPT TO:<anna@people.example>" in server.commands
    mail = message_from_bytes(first, policy=default)
    assert mail["Message-ID"] == provider_id == f"<{row.id}@wedsync.example>"
    assert mail["Reply-To"] == "office@wedsync.example"
    assert mail["List-Unsubscribe"].startswith(f"<{settings.PUBLIC_URL}/unsubscribe/")
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    bodies = {part.get_content_type(): part.get_content() for part in mail.walk() if not part.is_multipart()}
    assert "16:00" in bodies["text/plain"]
    assert "16:00" in bodies["text/html"]
    assert "wedsync.invalid" not in str(bodies)
    assert first.isascii()
    assert max(map(len, first.splitlines())) <= 998


def test_a_line_that_is_a_dot_does_not_end_the_mail(settings: Any) -> None:
    with mail_server() as server:
        row = through(
            server, settings, type="venue.capacity_updated", payload={"capacity": 9, "reason": ".\r\n.\r\nEND"}
        )
        sent(row)

    (mail,) = server.mails
    assert message_from_bytes(mail, policy=default).get_body(("html",)) is not None
    assert server.commands[-1] == "QUIT"


@pytest.mark.parametrize(
    ("word", "reply", "error"),
    [
        ("AUTH", b"535 5.7.8 wrong\r\n", CredentialsRefused),
        ("MAIL", b"530 5.7.0 log in\r\n", CredentialsRefused),
        ("RCPT", b"550 5.1.1 nobody here\r\n", Permanent),
        ("RCPT", b"450 4.2.0 greylisted\r\n", Throttled),
        ("MAIL", b"421 4.3.2 closing\r\n", ServerError),
        ("END", b"552 5.3.4 too big\r\n", Permanent),
        ("EHLO", b"what is this\r\n", NetworkError),
    ],
)
def test_what_the_server_says_has_its_class(word: str, reply: bytes, error: type, settings: Any) -> None:
    with mail_server(replies={word: reply}) as server:
        row = through(server, settings, {"username": "hub", "password": "sesame"})
        with pytest.raises(error) as raised:
            sent(row)

    assert raised.value.outcome == Outcome.FAILED
    assert "sesame" not in str(raised.value)
    if error is Throttled:
        assert not raised.value.whole_target


@pytest.mark.parametrize(
    ("word", "reply", "error"),
    [
        ("RCPT", b"550 5.1.1 no such user here\r\n", Undeliverable),
        (
            "RCPT",
            b"550-5.1.1 The email account that you tried to reach\r\n550 5.1.1 does not exist.\r\n",
            Undeliverable,
        ),
        ("RCPT", b"550 5.1.10 null MX\r\n", Undeliverable),
        ("RCPT", b"553 5.1.3 not a valid address\r\n", Undeliverable),
        ("RCPT", b"550 5.2.1 mailbox disabled\r\n", Undeliverable),
        ("RCPT", b"550 No such user\r\n", Undeliverable),
        ("RCPT", b"551 user not local\r\n", Undeliverable),
        ("END", b"550 5.1.1 no such user after all\r\n", Undeliverable),
        ("RCPT", b"552 5.2.2 mailbox full\r\n", RecipientRefused),
        ("RCPT", b"550 5.7.1 relaying denied\r\n", Permanent),
        ("MAIL", b"550 5.1.8 bad sender\r\n", Permanent),
        ("MAIL", b"550 we do not like you\r\n", Permanent),
        ("END", b"554 5.6.0 looks like spam\r\n", Permanent),
    ],
)
def test_no_such_address_marks_it_and_the_servers_words_are_quoted(
    word: str, reply: bytes, error: type, settings: Any
) -> None:
    with mail_server(replies={word: reply}) as server:
        row = through(server, settings)
        with pytest.raises(DeliveryError) as raised:
            sent(row)

    assert type(raised.value) is error
    assert reply[4:].split(b"\r\n")[0].decode()[:10] in str(raised.value)
    CHANNELS["email"].failed(row, raised.value)
    bounced = Address.objects.filter(value=row.target, bounced_at__isnull=False).exists()
    assert bounced == (error is Undeliverable)


@pytest.mark.parametrize(("word", "outcome"), [("RCPT", Outcome.FAILED), ("END", Outcome.UNKNOWN)])
def test_a_connection_that_breaks_leaves_the_outcome_open_only_after_the_mail_left(
    word: str, outcome: Outcome, settings: Any
) -> None:
    with mail_server(replies={word: None}) as server:
        row = through(server, settings)
        with pytest.raises(NetworkError) as raised:
            sent(row)

    assert raised.value.outcome == outcome


@pytest.mark.parametrize(("word", "error"), [("EHLO", NetworkError), ("END", TimedOut)])
def test_a_server_that_drips_holds_no_thread_beyond_the_deadline(word: str, error: type, settings: Any) -> None:
    with mail_server(drips=word) as server:
        row = through(server, settings)
        with pytest.raises(error):
            sent(row, deadline=0.4)


def test_a_mail_that_was_taken_is_taken_however_slowly_the_server_takes_leave(settings: Any) -> None:
    with mail_server(drips="QUIT") as server:
        assert sent(through(server, settings), deadline=2.0)


@pytest.mark.parametrize("reply", [b"250 " + b"x" * 9000, b"250-more\r\n" * 8000], ids=["a line", "lines"])
def test_a_reply_that_does_not_end_breaks_the_connection(reply: bytes, settings: Any) -> None:
    with mail_server(replies={"RCPT": reply}) as server:
        row = through(server, settings)
        with pytest.raises(NetworkError) as raised:
            sent(row)

    assert raised.value.outcome == Outcome.FAILED


@pytest.mark.parametrize("ways", ["PLAIN LOGIN", "CRAM-MD5 LOGIN PLAIN"])
def test_a_refused_password_is_tried_once(ways: str, settings: Any) -> None:
    with mail_server(extensions=(f"AUTH {ways}",), replies={"AUTH": b"535 5.7.8 wrong\r\n"}) as server:
        row = through(server, settings, {"username": "hub", "password": "sesame"})
        with pytest.raises(CredentialsRefused):
            sent(row)

    assert [line for line in server.commands if not line.startswith(("EHLO", "QUIT"))] == [PLAIN]


def test_a_password_may_hold_any_character(settings: Any) -> None:
    with mail_server(extensions=("AUTH PLAIN",)) as server:
        sent(through(server, settings, {"username": "hub", "password": "sésame"}))

    assert "AUTH PLAIN " + base64.b64encode("\0hub\0sésame".encode()).decode() in server.commands


def test_a_server_without_tls_is_spoken_to_only_where_the_operator_lists_it(settings: Any) -> None:
    with mail_server() as server:
        row = through(server, settings)
        frozen(row)
        settings.OUTBOUND_ALLOW = []
        with pytest.raises(OurFault, match="WEDSYNC_OUTBOUND_ALLOW"):
            sent(row)

    assert server.commands == []


def test_no_password_leaves_where_the_server_offers_no_tls(settings: Any) -> None:
    with mail_server() as server:
        row = through(server, settings, {"tls": "starttls", "username": "hub", "password": "sesame"})
        with pytest.raises(OurFault, match="STARTTLS"):
            sent(row)

    assert not any(line.startswith(("AUTH", "MAIL")) for line in server.commands)


@pytest.mark.parametrize("wrong", [{"port": "0"}, {"port": "x"}, {"tls": "maybe"}, {"host": "a b"}, {"host": "1.2"}])
def test_credentials_that_can_not_be_used_are_our_fault(wrong: dict[str, str], settings: Any) -> None:
    with mail_server() as server, pytest.raises(OurFault):
        sent(through(server, settings, wrong))


@pytest.mark.parametrize(
    ("public", "name", "greeting"),
    [
        ("https://hub.example.com", "", "hub.example.com"),
        ("https://hub.example.com:8443/path", "", "hub.example.com"),
        ("http://127.0.0.1:8000", "", "[127.0.0.1]"),
        ("http://[::1]:8000", "", "[IPv6:::1]"),
        ("https://hub.example.com", "mail-7.example.com", "mail-7.example.com"),
    ],
)
def test_mail_servers_are_greeted_with_the_public_host_or_the_name_of_a_setting(
    public: str, name: str, greeting: str, settings: Any
) -> None:
    settings.PUBLIC_URL, settings.SMTP_NAME = public, name

    with mail_server() as server:
        sent(through(server, settings))

    assert f"EHLO {greeting}" in server.commands


def test_a_host_with_other_characters_is_greeted_with_in_the_form_that_smtp_carries(settings: Any) -> None:
    settings.PUBLIC_URL, settings.SMTP_NAME = "https://hüb.example", ""

    assert greeting_name() == "hüb.example".encode("idna").decode()
