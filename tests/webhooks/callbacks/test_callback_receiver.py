"""The providers' door, asked as an ASGI server asks it; PostgreSQL stands behind it, and foreign signers before it."""

import json
import subprocess
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone
from slack_sdk.signature import SignatureVerifier
from svix.webhooks import Webhook

from integrations.models import Connection, ConnectionSecret
from tests.factories import ConnectionFactory, ConnectionSecretFactory
from tests.webhooks.callbacks.asgi_server import Server
from tests.webhooks.callbacks.bodies import SVIX_SECRET, resend, slack, status, statuses
from webhooks.callbacks import receiver as callback_receiver
from webhooks.callbacks.base import Provider
from webhooks.callbacks.receiver import PREFIX
from webhooks.doors import Doors
from webhooks.models import DedupId, ProviderNotice, Receipt

KINDS = {"whatsapp": "whatsapp", "resend": "email", "slack": "slack"}
SECRETS = {"whatsapp": "the app's secret", "resend": SVIX_SECRET, "slack": "8f742231b10e8888abcd99yyyzzz85a5"}


@pytest.fixture
def server(doors: Doors) -> Server:
    return Server(doors)


def connection_of(provider: str, secret: str | None = None, **rest: Any) -> Connection:
    made: Connection = ConnectionFactory(
        system__kind=KINDS[provider], secret=SECRETS[provider] if secret is None else secret, **rest
    )
    return made


def url(provider: str, connection: Connection) -> str:
    return f"{PREFIX}/{provider}/{connection.id}"


def signed_by_openssl(body: bytes, secret: str = SECRETS["whatsapp"]) -> dict[str, str]:
    digest = subprocess.run(
        ["openssl", "dgst", "-sha256", "-hmac", secret, "-r"], input=body, capture_output=True, check=True
    )
    return {"X-Hub-Signature-256": f"sha256={digest.stdout[:64].decode()}"}


def signed_by_svix(body: bytes, message_id: str = "msg_1", at: datetime | None = None) -> dict[str, str]:
    at = at or datetime.now(UTC)
    signature = Webhook(SVIX_SECRET).sign(message_id, at, body.decode())
    return {"svix-id": message_id, "svix-timestamp": str(int(at.timestamp())), "svix-signature": signature}


def signed_by_slack(body: bytes, at: float | None = None) -> dict[str, str]:
    stamp = str(int(time.time() if at is None else at))
    signature = SignatureVerifier(SECRETS["slack"]).generate_signature(timestamp=stamp, body=body)
    assert signature is not None
    return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": signature}


CASES = {
    "whatsapp": (statuses(status()), signed_by_openssl),
    "resend": (resend(), signed_by_svix),
    "slack": (slack(), signed_by_slack),
}


@pytest.mark.parametrize("provider", CASES)
def test_what_a_foreign_signer_signed_is_stored_once_and_answered_as_the_provider_expects(
    server: Server, provider: str
) -> None:
    connection = connection_of(provider)
    body, sign = CASES[provider]

    first = server.ask("POST", url(provider, connection), sign(body), body)
    again = server.ask("POST", url(provider, connection), sign(body), body)

    assert (first.status, again.status) == (200, 200)
    assert first.body == again.body == (b"" if provider == "slack" else b'{"status":"ok"}')
    notice = ProviderNotice.objects.get(organization=connection.organization)
    assert notice.connection_id == connection.id
    assert bytes(notice.receipt.body) == body
    assert "signature" not in json.dumps(notice.receipt.headers)


@pytest.mark.parametrize("provider", CASES)
def test_what_is_signed_and_can_not_be_read_is_kept_and_answered_200(server: Server, provider: str) -> None:
    connection = connection_of(provider)
    sign = CASES[provider][1]

    answer = server.ask("POST", url(provider, connection), sign(b'{"a":"\\u0000"}'), b'{"a":"\\u0000"}')

    assert answer.status == 200
    receipt = Receipt.objects.get(connection=connection)
    assert (receipt.verdict, receipt.slug, bool(receipt.reason)) == ("unrecognised", "unreadable", True)


@pytest.mark.parametrize("provider", CASES)
def test_what_is_not_rightly_signed_is_401_and_leaves_no_more_than_a_receipt_of_the_refusal(
    server: Server, provider: str
) -> None:
    connection = connection_of(provider)
    body, sign = CASES[provider]
    good = sign(body)
    header = list(good)[-1]

    strangers = connection_of(provider, SVIX_SECRET[:-4] + "AAAA"), connection_of(provider, secret="")

    answers = [
        server.ask("POST", url(provider, connection), {}, body),
        server.ask("POST", url(provider, connection), good | {header: "sha256=?"}, body),
        server.ask("POST", url(provider, connection), good, body + b" "),
        *[server.ask("POST", url(provider, stranger), good, body) for stranger in strangers],
    ]

    assert [answer.status for answer in answers] == [401] * 5
    slugs = ["signature-missing", "signature-malformed", *["signature-mismatch"] * 3]
    assert [answer.slug for answer in answers] == slugs
    receipts = Receipt.objects.order_by("id")
    assert {(receipt.verdict, receipt.signed) for receipt in receipts} == {("rejected", False)}
    assert [receipt.slug for receipt in receipts] == slugs
    assert [receipt.connection_id for receipt in receipts] == [connection.id] * 3 + [door.id for door in strangers]
    assert not ProviderNotice.objects.exists()
    assert not DedupId.objects.exists()


def test_a_signature_of_long_ago_is_401_where_the_provider_signs_its_time(server: Server) -> None:
    body, long_ago = slack(), datetime.now(UTC) - timedelta(seconds=400)
    told = server.ask("POST", url("slack", connection_of("slack")), signed_by_slack(body, long_ago.timestamp()), body)
    body = resend()
    mailed = server.ask("POST", url("resend", connection_of("resend")), signed_by_svix(body, at=long_ago), body)

    assert (told.status, told.slug) == (mailed.status, mailed.slug) == (401, "timestamp-outside-window")


def test_an_older_secret_still_counts_until_its_end_and_is_seen(server: Server) -> None:
    connection = connection_of("whatsapp", "old")
    older = ConnectionSecret.objects.get(connection=connection)
    ConnectionSecretFactory(connection=connection, text="new")
    ConnectionSecretFactory(connection=connection, text="ended", expires_at=timezone.now())

    def ask(secret: str) -> int:
        body = statuses(status(secret))
        return server.ask("POST", url("whatsapp", connection), signed_by_openssl(body, secret), body).status

    assert [ask("old"), ask("new"), ask("ended")] == [200, 200, 401]
    taken = Receipt.objects.filter(connection=connection, signed=True).order_by("id")
    assert [receipt.older_secret_id for receipt in taken] == [older.id, None]


def test_whatever_is_no_connection_of_this_provider_is_404(server: Server) -> None:
    mine = connection_of("whatsapp")
    disabled = connection_of("whatsapp", state="disabled")
    vendor = ConnectionFactory(secret=SECRETS["whatsapp"])
    body = statuses(status())
    paths = [url("slack", mine), url("whatsapp", disabled), url("whatsapp", vendor), url("telegram", mine)]
    paths += [PREFIX, f"{PREFIX}/", f"{PREFIX}/whatsapp", f"{PREFIX}/whatsapp/nobody", f"{PREFIX}/whatsapp/a/b"]
    paths += [f"{PREFIX}/whatsapp/{'x' * 500}", f"{PREFIX}/whatsapp/\x00", f"{PREFIX}/whatsapp/ü"]

    answers = [server.ask("POST", path, signed_by_openssl(body), body) for path in paths]

    assert {(answer.status, answer.slug) for answer in answers} == {(404, "connection-unknown")}
    assert not Receipt.objects.exists()


def test_a_connection_that_was_deleted_a_moment_ago_is_404(server: Server) -> None:
    connection = connection_of("whatsapp")
    path = url("whatsapp", connection)
    body = statuses(status())
    assert server.ask("POST", path, signed_by_openssl(body), body).status == 200
    connection.delete()

    later = statuses(status(at=1750857385))
    assert server.ask("POST", path, signed_by_openssl(later), later).status == 404


def test_a_paused_connection_stores_all_the_same(server: Server) -> None:
    connection = connection_of("whatsapp", state="paused")
    body = statuses(status())

    assert server.ask("POST", url("whatsapp", connection), signed_by_openssl(body), body).status == 200
    assert ProviderNotice.objects.filter(connection=connection).count() == 1


def test_other_methods_are_405(server: Server) -> None:
    for provider, method, allowed in (("whatsapp", "PUT", "GET, POST"), ("slack", "GET", "POST")):
        answer = server.ask(method, url(provider, connection_of(provider)))
        assert (answer.status, answer.headers["allow"]) == (405, allowed)


def test_a_body_over_three_megabytes_is_413(server: Server) -> None:
    path = url("whatsapp", connection_of("whatsapp"))

    assert server.ask("POST", path, {"content-length": str(Provider.largest + 1)}).status == 413
    assert server.ask("POST", path, {}, b"x" * (Provider.largest + 1)).status == 413
    largest = statuses(status(note="x" * (Provider.largest - len(statuses(status(note=""))))))
    assert len(largest) == Provider.largest
    assert server.ask("POST", path, signed_by_openssl(largest), largest).status == 200


ASKED = "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token="


def test_metas_handshake_is_answered_with_its_challenge_as_plain_text(server: Server) -> None:
    connection = connection_of("whatsapp")
    ConnectionSecretFactory(connection=connection, text="verify me", purpose="handshake")
    path = url("whatsapp", connection)

    answer = server.ask("GET", f"{path}?{ASKED}verify+me")

    assert (answer.status, answer.body) == (200, b"1158201444")
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.headers["x-content-type-options"] == "nosniff"
    for query in ("", f"{ASKED}wrong", f"{ASKED}the+app%27s+secret", "&".join(["a=1"] * 50), f"{ASKED}verify+me%00"):
        refused = server.ask("GET", f"{path}?{query}")
        assert (refused.status, refused.slug) == (403, "handshake-refused")
        assert b"verify me" not in refused.body
    stranger = connection_of("whatsapp")
    assert server.ask("GET", f"{url('whatsapp', stranger)}?{ASKED}verify+me").status == 403


def test_a_verify_token_signs_nothing(server: Server) -> None:
    connection = connection_of("whatsapp")
    ConnectionSecretFactory(connection=connection, text="verify me", purpose="handshake")
    body = statuses(status())

    answer = server.ask("POST", url("whatsapp", connection), signed_by_openssl(body, "verify me"), body)

    assert (answer.status, answer.slug) == (401, "signature-mismatch")


def test_while_storage_is_away_the_provider_is_told_to_come_again(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = url("whatsapp", connection_of("whatsapp"))
    body = statuses(status())
    assert server.ask("POST", path, {}, body).status == 401, "by now the connection is known"
    monkeypatch.setitem(connections["default"].settings_dict, "HOST", "/nobody/listens/here")

    answer = server.ask("POST", path, signed_by_openssl(body), body)

    assert (answer.status, answer.slug, answer.headers["retry-after"]) == (503, "storage-away", "5")


def test_more_bytes_than_memory_should_hold_are_told_to_come_again(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = url("whatsapp", connection_of("whatsapp"))
    bodies = [statuses(status(f"wamid.{number}")) for number in range(3)]
    monkeypatch.setattr(callback_receiver, "MOST_WAITING", 2 * len(bodies[0]))

    answers = server.ask_at_once(*[("POST", path, signed_by_openssl(body), body) for body in bodies])

    assert sorted(answer.status for answer in answers) == [200, 200, 503]
    assert server.ask("POST", path, signed_by_openssl(bodies[2]), bodies[2]).status == 200
