"""The credentials of mail are tried: at Resend, at other providers, and at a mail server."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any, ClassVar

import pytest

from integrations.outbound.sending import close_idle
from integrations.systems.trials import Trial, TrialResult, try_out
from notifications.channels.email.providers import PROVIDERS
from tests.factories import SystemFactory
from tests.integrations.systems.trial_places import MAY_ONLY_SEND, WRONG, asked, system_at, text_of
from tests.notifications.channels.mails import MailServer, mail_server
from tests.sandbox.sandbox_peer import Peer

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_key_that_may_only_send_is_taken_by_resend(outside: Peer) -> None:
    trial = try_out(system_at(outside, "email", {"api_key": MAY_ONLY_SEND}))

    assert trial.result == TrialResult.TAKEN
    assert "The key may only send" in trial.said


@pytest.mark.parametrize("address", ["hello@other.example", "hello@mail.wedsync.example"])
def test_a_sender_whose_domain_resend_does_not_send_for_is_found(outside: Peer, address: str) -> None:
    trial = try_out(system_at(outside, "email", {"from": f"Lakeside <{address}>"}))

    assert trial.result == TrialResult.REFUSED
    assert "does not send for the sender's domain" in trial.said
    assert "Verify the domain" in trial.advice


@pytest.mark.parametrize("provider", sorted(set(PROVIDERS) - {"resend", "postmark", "sendgrid", "brevo"}))
def test_mail_providers_without_a_harmless_call_are_asked_nothing(outside: Peer, provider: str) -> None:
    further = {"provider": provider, "api_key": "key", "secret_key": "second", "project_id": "project"}

    trial = try_out(system_at(outside, "email", further))

    assert trial.result == TrialResult.NO_CALL, trial
    assert asked(outside, "email") == []


class MailApi(BaseHTTPRequestHandler):
    """Plays a mail provider that knows one key."""

    asked: ClassVar[tuple[str, str, bytes]]
    seen: ClassVar[list[str]]

    def do_GET(self) -> None:
        path, header, answer = type(self).asked
        type(self).seen.append(self.path)
        right = self.headers[header.partition(": ")[0]] == header.partition(": ")[2]
        self.send_response(404 if self.path != path else 200 if right else 401)
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def mail_api(settings: Any) -> Iterator[tuple[str, type[MailApi]]]:
    part = type("Part", (MailApi,), {"seen": []})
    with HTTPServer(("127.0.0.1", 0), part) as server:
        settings.OUTBOUND_ALLOW = [f"127.0.0.1/32:{server.server_port}"]
        thread = Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v3", part
        close_idle()
        server.shutdown()
        thread.join(5)


@pytest.mark.parametrize(
    ("provider", "path", "header", "answer"),
    [
        ("postmark", "/v3/server", "X-Postmark-Server-Token: key-1", b'{"ID": 1, "Name": "Staging"}'),
        ("sendgrid", "/v3/scopes", "Authorization: Bearer key-1", b'{"scopes": ["mail.send"]}'),
        ("brevo", "/v3/account", "api-key: key-1", b'{"email": "office@wedsync.example"}'),
    ],
)
def test_other_mail_providers_are_asked_what_each_of_their_keys_may_ask(
    mail_api: tuple[str, type[MailApi]], provider: str, path: str, header: str, answer: bytes
) -> None:
    url, peer = mail_api
    peer.asked = (path, header, answer)
    sender = {"provider": provider, "from": "hello@wedsync.example"}

    right = try_out(SystemFactory(kind="email", base_url=url, credentials=sender | {"api_key": "key-1"}))
    wrong = try_out(SystemFactory(kind="email", base_url=url, credentials=sender | {"api_key": WRONG}))

    assert right.result == TrialResult.TAKEN, right
    assert wrong.result == TrialResult.REFUSED
    assert peer.seen == [path, path]


def by_smtp(server: MailServer, settings: Any, **credentials: str) -> Trial:
    settings.OUTBOUND_ALLOW = [f"127.0.0.1/32:{server.port}"]
    there = {"provider": "smtp", "host": "127.0.0.1", "port": str(server.port), "tls": "none"}
    sender = {"from": "Lakeside <hello@wedsync.example>"}
    system = SystemFactory(kind="email", base_url="https://mail.example", credentials=there | sender | credentials)
    trial = try_out(system)
    assert server.mails == []
    return trial


def test_a_mail_server_is_greeted_and_left_without_a_mail(settings: Any) -> None:
    with mail_server(extensions=("AUTH PLAIN",)) as server:
        trial = by_smtp(server, settings, username="hub", password="open sesame")

    assert trial.result == TrialResult.TAKEN, trial
    assert [line.split()[0] for line in server.commands] == ["EHLO", "AUTH", "QUIT"]


def test_without_a_user_name_it_is_said_that_no_login_was_tried(settings: Any) -> None:
    with mail_server() as server:
        trial = by_smtp(server, settings)

    assert trial.result == TrialResult.TAKEN
    assert "no login was tried" in trial.said


@pytest.mark.parametrize(
    ("reply", "result"),
    [
        (b"535 5.7.8 no such login {0}\r\n", TrialResult.REFUSED),
        (b"534 5.7.9 use an app password {0}\r\n", TrialResult.REFUSED),
        (b"501 I cannot read {0}\r\n", TrialResult.UNKNOWN),
        (b"454 4.7.0 later {0}\r\n", TrialResult.UNKNOWN),
        (None, TrialResult.UNKNOWN),
    ],
)
def test_what_a_mail_server_says_to_a_login_never_shows_it(
    settings: Any, reply: bytes | None, result: TrialResult
) -> None:
    login = "AGh1YgB6ZWJyYS1RdWFydHotNzczMQ=="  # \0hub\0zebra-Quartz-7731
    word = reply and reply.replace(b"{0}", f"{WRONG} {login}".encode())
    with mail_server(extensions=("AUTH PLAIN",), replies={"AUTH": word}) as server:
        trial = by_smtp(server, settings, username="hub", password=WRONG)

    assert any(login in command for command in server.commands)
    assert trial.result == result
    assert WRONG not in text_of(trial)
    assert login not in text_of(trial)
    if result == TrialResult.REFUSED:
        assert "Password" in trial.advice


def test_a_mail_server_without_the_tls_that_is_asked_for_is_said(settings: Any) -> None:
    with mail_server() as server:
        trial = by_smtp(server, settings, tls="starttls")

    assert trial.result == TrialResult.UNUSABLE
    assert "offers no STARTTLS" in trial.said
