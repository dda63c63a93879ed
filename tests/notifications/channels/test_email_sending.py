"""Mails through Resend as the sandbox plays it, and through another provider, on the wire."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from integrations import tasks
from integrations.errors import CredentialsRefused, OurFault, Permanent, ServerError, Throttled, TimedOut
from integrations.models import Delivery
from integrations.outbound.sending import close_idle
from notifications.channels.email.providers import PROVIDERS
from notifications.channels.registry import CHANNELS
from tests.notifications.channels.mails import answer, delivery, frozen, sent
from tests.sandbox.sandbox_peer import RESEND_KEY, Peer, configuration, running

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def shared_resend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    home = tmp_path_factory.mktemp("resend-home")
    (home / "sandbox.json").write_text(json.dumps(configuration()))
    with running(Path(home)) as peer:
        yield peer
    close_idle()


@pytest.fixture
def resend(shared_resend: Peer, settings: Any) -> Peer:
    """The sandbox, emptied, on the operator's list."""
    settings.OUTBOUND_ALLOW = [f"127.0.0.1/32:{shared_resend.port}"]
    shared_resend.forget()
    return shared_resend


def mail(resend: Peer, credentials: dict[str, str] | None = None, **rest: Any) -> Delivery:
    return delivery(f"{resend.url}/resend", {"api_key": RESEND_KEY} | (credentials or {}), **rest)


def test_a_retry_has_the_same_key_and_bytes_and_arrives_once(resend: Peer) -> None:
    row = mail(resend, {"reply_to": "Office <office@wedsync.example>"})
    resend.fault("resend", "hang", seconds=5, count=1, after=True)
    with pytest.raises(TimedOut):
        sent(row, deadline=0.5)

    assert sent(row) == sent(row)

    (message,) = resend.messages("resend")
    assert message["headers"]["idempotency-key"] == str(row.id)
    assert message["body"]["reply_to"] == ["Office <office@wedsync.example>"]
    assert message["body"]["to"] == ["anna@people.example"]
    assert "wedsync.invalid" not in json.dumps(message["body"])


def test_a_mail_that_is_not_urgent_can_be_stopped_by_one_click_and_an_urgent_or_staffs_one_can_not(
    resend: Peer, settings: Any
) -> None:
    for more in ({}, {"priority": "urgent"}, {"contact": None}):
        sent(mail(resend, **more))

    usual, urgent, staffs = (message["body"] for message in resend.messages("resend"))
    assert usual["headers"]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = usual["headers"]["List-Unsubscribe"].strip("<>")
    assert link.startswith(f"{settings.PUBLIC_URL}/unsubscribe/")
    assert link in usual["html"]
    assert link in usual["text"]
    assert urgent["headers"] == {"X-Priority": "1", "Importance": "high"}
    assert "/unsubscribe/" not in urgent["html"] + staffs["html"] + str(staffs.get("headers"))


def test_a_key_used_for_another_mail_is_refused_for_good(resend: Peer) -> None:
    row = mail(resend)
    sent(row)
    frozen(row)
    row.request = {**(row.request or {}), "body": (row.request or {})["body"].replace("16:00", "17:00")}

    with pytest.raises(Permanent, match="invalid_idempotent_request"):
        sent(row)


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (401, "missing_api_key", CredentialsRefused),
        (409, "concurrent_idempotent_requests", Throttled),
        (422, "validation_error", Permanent),
        (429, "rate_limit_exceeded", Throttled),
        (500, "internal_server_error", ServerError),
    ],
)
def test_what_resend_answers_has_its_class(status: int, code: str, error: type, resend: Peer) -> None:
    resend.fault("resend", "status", status=status, code=code, retry_after=7)

    with pytest.raises(error) as raised:
        sent(mail(resend))

    if code == "rate_limit_exceeded":
        assert raised.value.whole_target
        assert raised.value.retry_after == 7


def test_a_wrong_key_stops_the_system_and_a_foreign_sender_only_the_mail(resend: Peer) -> None:
    with pytest.raises(CredentialsRefused):
        sent(mail(resend, {"api_key": "re_wrong"}))
    with pytest.raises(Permanent):
        sent(mail(resend, {"from": "a@elsewhere.example"}))


@pytest.mark.django_db(transaction=True)
def test_an_exhausted_quota_is_asked_once_whatever_waits(resend: Peer) -> None:
    first = mail(resend)
    rows = [first, *(mail(resend) for _ in range(3))]
    Delivery.objects.filter(id__in=[row.id for row in rows]).update(system_id=first.system_id)
    resend.fault("resend", "status", status=429, code="daily_quota_exceeded", retry_after=1)

    for row in rows:
        tasks.deliver.apply(args=[str(row.id)])

    assert resend.request_log("resend")["counts"]["total"] == 1
    assert not Delivery.objects.filter(id__in=[row.id for row in rows], state="succeeded").exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("provider", "marked"), [("resend", False), ("postmark", True)])
def test_a_mail_whose_answer_was_lost_is_marked_where_the_provider_knows_no_key(
    provider: str, marked: bool, resend: Peer
) -> None:
    row = mail(resend, {"provider": provider})
    resend.fault("resend", "silent_close", count=1, after=True)

    tasks.deliver.apply(args=[str(row.id)])

    row.refresh_from_db()
    assert row.attempts.order_by("number").first().outcome == "unknown"  # type: ignore[union-attr]
    assert row.may_duplicate == marked


class Postmark(BaseHTTPRequestHandler):
    """Plays Postmark: https://postmarkapp.com/developer/api/email-api."""

    heard: list[tuple[str, dict[str, str], Any]]
    reply: tuple[int, dict[str, Any]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        type(self).heard.append((self.path, headers, json.loads(body)))
        status, reply = type(self).reply
        raw = json.dumps(reply).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def postmark(settings: Any) -> Iterator[tuple[str, type[Postmark]]]:
    taken = (200, {"To": "anna@people.example", "MessageID": "pm-1", "ErrorCode": 0, "Message": "OK"})
    part = type("Part", (Postmark,), {"heard": [], "reply": taken})
    with HTTPServer(("127.0.0.1", 0), part) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        settings.OUTBOUND_ALLOW = [f"127.0.0.1/32:{server.server_port}"]
        yield f"http://127.0.0.1:{server.server_port}", part
        close_idle()
        server.shutdown()
        thread.join(5)


def test_another_provider_gets_the_mail_in_its_own_format(postmark: tuple[str, type[Postmark]]) -> None:
    url, peer = postmark
    row = delivery(url, {"provider": "postmark", "api_key": "pm-token", "message_stream": "out"})

    assert sent(row) == "pm-1"
    assert sent(row) == "pm-1"

    (path, headers, body), again = peer.heard
    assert path == "/email"
    assert headers["x-postmark-server-token"] == "pm-token"
    assert (body["From"], body["To"], body["MessageStream"]) == (
        "Lakeside <hello@wedsync.example>", "anna@people.example", "out",
    )  # fmt: skip
    assert {each["Name"] for each in body["Headers"]} >= {"List-Unsubscribe", "List-Unsubscribe-Post"}
    assert "16:00" in body["HtmlBody"]
    assert "16:00" in body["TextBody"]
    assert again[2] == body


@pytest.mark.parametrize(
    ("status", "error"), [(401, CredentialsRefused), (422, Permanent), (429, Throttled), (500, ServerError)]
)
def test_another_providers_errors_are_told_by_their_status(
    status: int, error: type, postmark: tuple[str, type[Postmark]]
) -> None:
    url, peer = postmark
    peer.reply = (status, {"ErrorCode": 1, "Message": "no"})

    with pytest.raises(error):
        sent(delivery(url, {"provider": "postmark"}))


def test_an_answer_that_says_nothing_has_taken_the_mail_all_the_same(postmark: tuple[str, type[Postmark]]) -> None:
    url, peer = postmark
    peer.reply = (200, {})

    assert answer(delivery(url, {"provider": "postmark"})).status == 200
    assert sent(delivery(url, {"provider": "postmark"})) == ""


@pytest.mark.filterwarnings("ignore::anymail.exceptions.AnymailNotSupportedWarning")
@pytest.mark.parametrize("name", PROVIDERS)
def test_each_provider_gets_the_same_bytes_at_each_try(name: str) -> None:
    more = {"secret_key": "s", "project_id": "p"}
    row = delivery("https://mail.example/v1", {"provider": name, **more})
    request, channel = frozen(row), CHANNELS["email"]
    credentials = row.system.credentials

    first, second = (channel.call(row, request, credentials) for _ in range(2))

    assert (first.url, first.headers, first.body) == (second.url, second.headers, second.body)
    assert first.url.startswith("https://mail.example/v1")
    assert b"anna@people.example" in first.body or b"anna%40people.example" in first.body


@pytest.mark.parametrize(
    "wrong", [{"provider": "pigeon"}, {"provider": "mailjet"}, {"from": "nobody", "provider": "smtp", "host": "h"}]
)
def test_credentials_that_can_not_be_used_are_our_fault(wrong: dict[str, str]) -> None:
    with pytest.raises(OurFault):
        sent(delivery(credentials=wrong))
