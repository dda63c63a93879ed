"""Credentials are tried by calls that change nothing: what is said of right and wrong ones, of each kind of system."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any, ClassVar

import pytest
from django.core.management import CommandError, call_command

from integrations import admission
from integrations.health.breaker_states import breaker_states
from integrations.models import Alert, Attempt, BreakerChange, Delivery, System
from integrations.models.breaker import BreakerState
from integrations.outbound.sending import close_idle
from integrations.systems.trials import Trial, TrialResult, try_out
from integrations.vendors import VENDORS
from notifications.channels.email.providers import PROVIDERS
from tests.factories import OrganizationFactory, SystemFactory
from tests.notifications.channels.mails import MailServer, mail_server
from tests.ports import free_port
from tests.sandbox.sandbox_peer import PHONE, RESEND_KEY, SECRET, SLACK_PATH, TOKEN, VENDOR_TOKEN, Peer, running
from tests.sandbox.sandbox_peer import configuration as usual

MAY_ONLY_SEND = "re_only_sends"
WRONG = "zebra-Quartz-7731"
VARIABLE = "WEDSYNC_CREDENTIAL_OF_TRIALS"
RIGHT: dict[str, dict[str, str]] = {
    "whatsapp": {"access_token": TOKEN, "phone_number_id": PHONE},
    "slack": {"webhook_path": SLACK_PATH},
    "email": {"api_key": RESEND_KEY, "from": "Lakeside <hello@wedsync.example>"},
    "webhook": {"signing_secret": SECRET},
} | {slug: {"access_token": VENDOR_TOKEN, "signing_secret": SECRET} for slug in VENDORS}
TRIED = {"whatsapp": "access_token", "email": "api_key"} | dict.fromkeys(VENDORS, "access_token")
ASKS_NOTHING = sorted(set(System.Kind.values) - set(TRIED))
PLACES = {"email": "resend", "webhook": "webhook/lakeside"}
pytestmark = pytest.mark.django_db(transaction=True)
each_kind = pytest.mark.parametrize("kind", System.Kind.values)
each_tried = pytest.mark.parametrize("kind", sorted(TRIED))


@pytest.fixture(scope="module")
def shared_outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    home = tmp_path_factory.mktemp("trials-home")
    vendor = {"access_token": VENDOR_TOKEN, "signing_secret": SECRET}
    config = usual() | dict.fromkeys(VENDORS, vendor)
    config["resend"]["accounts"].append({"api_key": MAY_ONLY_SEND, "domains": [], "sending_only": True})
    (home / "sandbox.json").write_text(json.dumps(config))
    with running(home) as peer:
        yield peer
    close_idle()


@pytest.fixture
def outside(shared_outside: Peer, settings: Any) -> Peer:
    settings.OUTBOUND_ALLOW = [f"127.0.0.1/32:{shared_outside.port}"]
    shared_outside.forget()
    return shared_outside


def system_at(outside: Peer, kind: str, credentials: dict[str, str] | None = None, **rest: Any) -> System:
    """One whose credentials are right, but for those given."""
    url = f"{outside.url}/{PLACES.get(kind, kind)}"
    made: System = SystemFactory(
        kind=kind, **{"base_url": url, "credentials": RIGHT[kind] | (credentials or {}), **rest}
    )
    return made


def text_of(trial: Trial) -> str:
    return f"{trial.verdict.label} {trial.said} {trial.advice}"


def asked(outside: Peer, kind: str) -> list[dict[str, Any]]:
    """What reached the sandbox."""
    rows: list[dict[str, Any]] = outside.request_log(PLACES.get(kind, kind).split("/", maxsplit=1)[0])["rows"]
    return rows


@each_kind
def test_right_credentials_are_taken_or_it_is_said_that_nothing_can_be_asked(outside: Peer, kind: str) -> None:
    trial = try_out(system_at(outside, kind))

    if kind in TRIED:
        assert trial.verdict == TrialResult.TAKEN, trial
        assert "accepted the credentials." in trial.said
        assert trial.advice == ""
        assert [row["method"] for row in asked(outside, kind)] == ["GET"]
        assert outside.messages(PLACES.get(kind, kind)) == []
    else:
        assert trial.verdict == TrialResult.NO_CALL
        assert "has no call that changes nothing, so none was made" in trial.said
        assert "send something real" in trial.advice
        assert asked(outside, kind) == []


def test_every_kind_is_tried_or_known_to_have_no_harmless_call() -> None:
    assert ASKS_NOTHING == ["slack", "webhook"]


@each_tried
@pytest.mark.parametrize("named", [False, True], ids=["stored", "from the environment"])
def test_a_wrong_credential_is_said_in_words_that_do_not_hold_it(
    outside: Peer, kind: str, named: bool, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    organization = OrganizationFactory(slug="lakeside")
    monkeypatch.setenv(VARIABLE, WRONG)
    settings.CREDENTIALS_ALLOWED = frozenset({f"lakeside:{VARIABLE}"})
    wrong = {TRIED[kind]: f"env:{VARIABLE}" if named else WRONG}

    trial = try_out(system_at(outside, kind, wrong, organization=organization))

    assert trial.verdict == TrialResult.REFUSED, trial
    assert "refused the credentials" in trial.said
    assert ("API key" if kind == "email" else "Access token") in trial.advice
    assert "Enter this again on the system's page, then try again" in trial.advice
    assert WRONG not in text_of(trial)


@each_kind
def test_a_trial_leaves_no_trace_and_also_works_while_a_system_is_stopped(outside: Peer, kind: str) -> None:
    secret = {TRIED[kind]: WRONG} if kind in TRIED else {}
    refused = system_at(outside, kind, secret)
    paused = system_at(outside, kind, state="paused", state_reason="credentials_refused")
    admission.trip(admission.lane_of(paused), seconds=600)
    before = breaker_states([refused, paused])

    for _ in range(12):
        try_out(refused)
    trial = try_out(paused)

    if kind in TRIED:
        assert trial.verdict == TrialResult.TAKEN
        assert trial.advice == "The system is paused. Resume it, and what is held for it goes out."
    assert (
        breaker_states([refused, paused]) == before == {refused.id: BreakerState.CLOSED, paused.id: BreakerState.OPEN}
    )
    assert set(System.objects.values_list("id", "state")) == {(refused.id, "active"), (paused.id, "paused")}
    for model in (Delivery, Attempt, Alert, BreakerChange):
        assert not model.objects.exists()


@each_tried
@pytest.mark.parametrize(
    ("status", "said"),
    [(503, "had an error of its own"), (500, "had an error of its own"), (429, "limits our calls")],
)
def test_what_says_nothing_of_the_credentials_is_not_taken_for_a_refusal(
    outside: Peer, kind: str, status: int, said: str
) -> None:
    outside.fault(PLACES.get(kind, kind), "status", status=status, count=1)

    trial = try_out(system_at(outside, kind))

    assert trial.verdict == TrialResult.UNKNOWN
    assert said in trial.said
    assert "This says nothing about the credentials." in trial.said
    assert "ry again" in trial.advice


@each_tried
def test_nobody_who_answers_is_said_with_what_to_look_at(kind: str, settings: Any) -> None:
    port = free_port()
    settings.OUTBOUND_ALLOW = [f"127.0.0.1/32:{port}"]

    trial = try_out(SystemFactory(kind=kind, base_url=f"http://127.0.0.1:{port}", credentials=RIGHT[kind]))

    assert trial.verdict == TrialResult.UNKNOWN
    assert "was not reached: the connection was refused." in trial.said
    assert "base URL" in trial.advice


@each_tried
@pytest.mark.parametrize("path", ["/_/healthz", "/nothing"])
def test_a_base_url_that_leads_elsewhere_is_not_taken_for_the_system(outside: Peer, kind: str, path: str) -> None:
    trial = try_out(system_at(outside, kind, base_url=outside.url + path))

    assert trial.verdict == TrialResult.UNKNOWN, trial
    assert "does not answer as" in trial.said
    assert "base URL" in trial.advice


@each_kind
def test_a_system_that_could_not_be_called_is_not(outside: Peer, kind: str, settings: Any) -> None:
    settings.OUTBOUND_ALLOW = []

    trial = try_out(system_at(outside, kind))

    assert trial.verdict == TrialResult.UNUSABLE
    assert "Base URL" in trial.said
    assert "Mend this" in trial.advice
    assert asked(outside, kind) == []


def test_a_phone_number_id_of_somebody_else_is_told_from_a_wrong_token(outside: Peer) -> None:
    trial = try_out(system_at(outside, "whatsapp", {"phone_number_id": "99887766554433"}))

    assert trial.verdict == TrialResult.REFUSED
    assert "WhatsApp knows the token, but no phone number of this id" in trial.said
    assert "Compare the phone number id" in trial.advice
    assert "99887766554433" not in text_of(trial)


def test_a_key_that_may_only_send_is_taken_by_resend(outside: Peer) -> None:
    trial = try_out(system_at(outside, "email", {"api_key": MAY_ONLY_SEND}))

    assert trial.verdict == TrialResult.TAKEN
    assert "The key may only send" in trial.said


@pytest.mark.parametrize("address", ["hello@other.example", "hello@mail.wedsync.example"])
def test_a_sender_whose_domain_resend_does_not_send_for_is_found(outside: Peer, address: str) -> None:
    trial = try_out(system_at(outside, "email", {"from": f"Lakeside <{address}>"}))

    assert trial.verdict == TrialResult.REFUSED
    assert "sends nothing for the sender's domain" in trial.said
    assert "Verify the domain" in trial.advice


@pytest.mark.parametrize("provider", sorted(set(PROVIDERS) - {"resend", "postmark", "sendgrid", "brevo"}))
def test_mail_providers_without_a_harmless_call_are_asked_nothing(outside: Peer, provider: str) -> None:
    further = {"provider": provider, "api_key": "key", "secret_key": "second", "project_id": "project"}

    trial = try_out(system_at(outside, "email", further))

    assert trial.verdict == TrialResult.NO_CALL, trial
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

    assert right.verdict == TrialResult.TAKEN, right
    assert wrong.verdict == TrialResult.REFUSED
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

    assert trial.verdict == TrialResult.TAKEN, trial
    assert [line.split()[0] for line in server.commands] == ["EHLO", "AUTH", "QUIT"]


def test_without_a_user_name_it_is_said_that_no_login_was_tried(settings: Any) -> None:
    with mail_server() as server:
        trial = by_smtp(server, settings)

    assert trial.verdict == TrialResult.TAKEN
    assert "no login was tried" in trial.said


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        (b"535 5.7.8 no such login {0}\r\n", TrialResult.REFUSED),
        (b"534 5.7.9 use an app password {0}\r\n", TrialResult.REFUSED),
        (b"501 I cannot read {0}\r\n", TrialResult.UNKNOWN),
        (b"454 4.7.0 later {0}\r\n", TrialResult.UNKNOWN),
        (None, TrialResult.UNKNOWN),
    ],
)
def test_what_a_mail_server_says_to_a_login_never_shows_it(
    settings: Any, reply: bytes | None, verdict: TrialResult
) -> None:
    login = "AGh1YgB6ZWJyYS1RdWFydHotNzczMQ=="  # \0hub\0zebra-Quartz-7731
    word = reply and reply.replace(b"{0}", f"{WRONG} {login}".encode())
    with mail_server(extensions=("AUTH PLAIN",), replies={"AUTH": word}) as server:
        trial = by_smtp(server, settings, username="hub", password=WRONG)

    assert any(login in command for command in server.commands)
    assert trial.verdict == verdict
    assert WRONG not in text_of(trial)
    assert login not in text_of(trial)
    if verdict == TrialResult.REFUSED:
        assert "Password" in trial.advice


def test_a_mail_server_without_the_tls_that_is_asked_for_is_said(settings: Any) -> None:
    with mail_server() as server:
        trial = by_smtp(server, settings, tls="starttls")

    assert trial.verdict == TrialResult.UNUSABLE
    assert "offers no STARTTLS" in trial.said


def test_the_command_shows_a_table_and_ends_with_an_error_where_something_is_to_be_done(
    outside: Peer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    ours, theirs = OrganizationFactory(slug="lakeside"), OrganizationFactory(slug="zwettl")
    system_at(outside, "whatsapp", organization=ours, name="WhatsApp of the lake")
    system_at(outside, "venue_master", {"access_token": WRONG}, organization=ours, name="Venue [red]")
    system_at(outside, "slack", organization=ours, name="Coordination", state="disabled")
    system_at(outside, "shootq", {"access_token": WRONG}, organization=theirs, name="Theirs")

    call_command("try_system", "lakeside", "WhatsApp of the lake")
    one = capsys.readouterr().out
    with pytest.raises(CommandError, match="Not every system accepted its credentials"):
        call_command("try_system", "lakeside", "--all")
    whole = capsys.readouterr().out
    with pytest.raises(CommandError, match="Not every system"):
        call_command("try_system", "--all")
    every = capsys.readouterr().out

    assert "Accepted" in one
    assert "Venue" not in one
    assert "Venue [red]" in whole
    assert "Refused" in whole
    assert "Theirs" not in whole
    assert "Coordination" not in whole
    assert "Theirs" in every
    assert WRONG not in one + whole + every


@pytest.mark.parametrize("arguments", [[], ["lakeside"], ["lakeside", "Theirs"], ["lakeside", "Theirs", "--all"]])
def test_the_command_reaches_only_what_was_named(outside: Peer, arguments: list[str]) -> None:
    OrganizationFactory(slug="lakeside")
    system_at(outside, "shootq", organization=OrganizationFactory(slug="zwettl"), name="Theirs")

    with pytest.raises(CommandError, match="no such system|Give an organization"):
        call_command("try_system", *arguments)

    assert asked(outside, "shootq") == []
