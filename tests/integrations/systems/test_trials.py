"""Credentials are tried by calls that change nothing: what is said of right and wrong ones, of each kind of system."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import CommandError, call_command

from integrations import admission
from integrations.health.breaker_states import breaker_states
from integrations.models import Alert, Attempt, BreakerChange, Delivery, System
from integrations.models.breaker_changes import BreakerState
from integrations.systems.trials import TrialResult, try_out
from integrations.vendors import VENDORS
from tests.factories import OrganizationFactory, SystemFactory
from tests.integrations.systems.trial_places import PLACES, RIGHT, WRONG, asked, system_at, text_of
from tests.ports import free_port
from tests.sandbox.sandbox_peer import Peer

pytestmark = pytest.mark.django_db(transaction=True)

VARIABLE = "WEDSYNC_CREDENTIAL_OF_TRIALS"
TRIED = {"whatsapp": "access_token", "sms": "auth_token", "email": "api_key"} | dict.fromkeys(VENDORS, "access_token")
ASKS_NOTHING = sorted(set(System.Kind.values) - set(TRIED))
each_kind = pytest.mark.parametrize("kind", System.Kind.values)
each_tried = pytest.mark.parametrize("kind", sorted(TRIED))


@each_kind
def test_right_credentials_are_taken_or_it_is_said_that_nothing_can_be_asked(outside: Peer, kind: str) -> None:
    trial = try_out(system_at(outside, kind))

    if kind in TRIED:
        assert trial.result == TrialResult.TAKEN, trial
        assert "accepted the credentials." in trial.said
        assert trial.advice == ""
        assert [row["method"] for row in asked(outside, kind)] == ["GET"]
        assert outside.messages(PLACES.get(kind, kind)) == []
    else:
        assert trial.result == TrialResult.NO_CALL
        assert "has no call that changes nothing, so none was made" in trial.said
        assert "send something real" in trial.advice
        assert asked(outside, kind) == []


def test_every_kind_is_tried_or_known_to_have_no_harmless_call() -> None:
    assert ASKS_NOTHING == ["slack", "web_push", "webhook"]


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

    assert trial.result == TrialResult.REFUSED, trial
    assert "refused the credentials" in trial.said
    assert {"email": "API key", "sms": "Auth token"}.get(kind, "Access token") in trial.advice
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
        assert trial.result == TrialResult.TAKEN
        assert trial.advice == "The system is paused. Resume it to send what is held for it."
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

    assert trial.result == TrialResult.UNKNOWN
    assert said in trial.said
    assert "This says nothing about the credentials." in trial.said
    assert "ry again" in trial.advice


@each_tried
def test_nobody_who_answers_is_said_with_what_to_look_at(kind: str, settings: Any) -> None:
    port = free_port()
    settings.OUTBOUND_ALLOW = [f"127.0.0.1/32:{port}"]

    trial = try_out(SystemFactory(kind=kind, base_url=f"http://127.0.0.1:{port}", credentials=RIGHT[kind]))

    assert trial.result == TrialResult.UNKNOWN
    assert "was not reached: the connection was refused." in trial.said
    assert "base URL" in trial.advice


@each_tried
@pytest.mark.parametrize("path", ["/_/healthz", "/nothing"])
def test_a_base_url_that_leads_elsewhere_is_not_taken_for_the_system(outside: Peer, kind: str, path: str) -> None:
    trial = try_out(system_at(outside, kind, base_url=outside.url + path))

    assert trial.result == TrialResult.UNKNOWN, trial
    assert "does not answer as" in trial.said
    assert "base URL" in trial.advice


@each_kind
def test_a_system_that_could_not_be_called_is_not(outside: Peer, kind: str, settings: Any) -> None:
    settings.OUTBOUND_ALLOW = []

    trial = try_out(system_at(outside, kind))

    assert trial.result == TrialResult.UNUSABLE
    assert "Base URL" in trial.said
    assert "No call was made" in trial.advice
    assert asked(outside, kind) == []


def test_a_phone_number_id_of_somebody_else_is_told_from_a_wrong_token(outside: Peer) -> None:
    trial = try_out(system_at(outside, "whatsapp", {"phone_number_id": "99887766554433"}))

    assert trial.result == TrialResult.REFUSED
    assert "WhatsApp knows the token, but no phone number with this id" in trial.said
    assert "Compare the phone number id" in trial.advice
    assert "99887766554433" not in text_of(trial)


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
