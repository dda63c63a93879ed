"""Slips in a system's row are refused at their field, make it critical with an alert, and what waited recovers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from integrations.credentials import checks
from integrations.credentials.kinds import every
from integrations.health.round import sweep_health
from integrations.models import Alert, Delivery, HealthReading, System
from integrations.models.health import Cause
from integrations.states import Outcome, Reason, State
from notifications.channels.email import account
from tests.factories import (
    ApiKeyFactory,
    AttemptFactory,
    DeliveryFactory,
    MembershipFactory,
    OrganizationFactory,
    SystemFactory,
    UserFactory,
)
from tests.integrations.health.slips import FIT, SLIPS
from tests.wedsync.admin.conftest import page
from tests.wedsync.api.conftest import Api
from wedsync.weddings.models import Membership

pytestmark = pytest.mark.django_db


def swept(system: System) -> HealthReading:
    assert sweep_health()
    return HealthReading.objects.get(system=system)


def at_fault(system: System, count: int = 1, **rest: Any) -> list[Delivery]:
    """Deliveries that wait for an hour because of a fault of ours."""
    fields = {"state": State.SCHEDULED, "state_reason": Reason.OUR_FAULT, "attempt_count": 1}
    later = timezone.now() + timedelta(hours=1)
    rows = [
        DeliveryFactory(organization=system.organization, system=system, next_attempt_at=later, **fields | rest)
        for _ in range(count)
    ]
    for row in rows:
        AttemptFactory(
            delivery=row, number=row.attempt_count, outcome=Outcome.FAILED, status_code=None, error_class="OurFault",
            error="the credentials lack from", started_at=timezone.now() - timedelta(seconds=90),
        )  # fmt: skip
    return rows


def call(system: System, outcome: Outcome = Outcome.SUCCEEDED, **rest: Any) -> None:
    """A call that says something of the system."""
    row = DeliveryFactory(organization=system.organization, system=system, state=State.SUCCEEDED)
    AttemptFactory(delivery=row, outcome=outcome, error_class="" if outcome == "succeeded" else "ServerError", **rest)


def is_due(row: Delivery) -> bool:
    row.refresh_from_db()
    return row.next_attempt_at <= timezone.now()


def test_every_credential_has_a_slip_in_these_tests() -> None:
    assert {credential.name for credential in every()} == {name for _, name, _, _ in SLIPS}


@pytest.mark.parametrize("kind", FIT)
def test_what_fits_is_taken_and_can_be_called(kind: str) -> None:
    system = SystemFactory(kind=kind, credentials=FIT[kind])

    assert list(checks.problems(system)) == []
    assert swept(system).status == "unused"


@pytest.mark.parametrize(
    "value",
    ["hello@lakeside.example", "Lakeside <hello@lakeside.example>", '"Weddings, Lakeside" <hello@lakeside.example>',
     "Büro am See <hello@lakeside.example>", "St. Mary's (Office) <hello@lakeside.example>"],
)  # fmt: skip
def test_a_sender_may_have_any_name_that_is_written_well(value: str) -> None:
    account.mailbox(value)


@pytest.mark.parametrize(("kind", "name", "value", "said"), SLIPS)
def test_a_slip_is_refused_at_its_field_by_the_api_and_by_the_form(kind: str, name: str, value: str, said: str) -> None:
    mine = OrganizationFactory()
    ApiKeyFactory(organization=mine, key="wsk_ours")
    owner = UserFactory(username="owner")
    MembershipFactory(organization=mine, user=owner, role=Membership.Role.OWNER)
    system = SystemFactory(organization=mine, kind=kind, credentials=FIT[kind])
    staff = Client()
    staff.force_login(owner)

    answer = Api("wsk_ours").send("patch", f"systems/{system.id}/", {"credentials": {name: value}})

    assert answer.status_code == 422, answer.content
    (error,) = answer.json()["errors"]
    assert error["field"] == f"credentials.{name}"
    assert said in error["reason"]
    if value == value.strip() and value.isprintable():  # a browser sends no line ends of a text field
        typed = {"name": system.name, "base_url": system.base_url, "kind": kind, f"credential_{name}": value}
        shown = staff.post(page(System, "change", system.pk), typed)
        assert said in str(shown.context["adminform"].form.errors[f"credential_{name}"])
    assert System.objects.get(pk=system.pk).credentials == FIT[kind]


@pytest.mark.parametrize(("kind", "name", "value", "said"), SLIPS)
def test_a_row_with_a_slip_is_critical_with_an_alert_until_it_is_mended(
    kind: str, name: str, value: str, said: str
) -> None:
    system = SystemFactory(kind=kind, credentials={**FIT[kind], name: value})
    (waits,) = at_fault(system)

    found = swept(system)

    assert found.status == "critical"
    assert "cannot be called" in found.why[0]
    assert said in found.why[0]
    assert value not in found.why[0]
    alert = Alert.objects.get(system=system, cause=Cause.SYSTEM_CRITICAL, resolved_at=None)
    assert said in alert.text
    assert not is_due(waits)

    system.seal_credentials(FIT[kind])
    system.save()
    assert swept(system).status != "critical"
    assert is_due(waits)
    alert.refresh_from_db()
    assert alert.resolved_at


@pytest.mark.parametrize(
    ("kind", "credentials", "said"),
    [
        ("email", {"api_key": "k"}, "Sender is missing"),
        ("email", {"from": "a@lakeside.example"}, "API key is missing"),
        ("email", {"from": "a@lakeside.example", "provider": "smtp"}, "Mail server is missing"),
        (
            "email",
            {"from": "a@lakeside.example", "provider": "smtp", "host": "h.example", "username": "me"},
            "Password",
        ),
        ("email", {"from": "a@lakeside.example", "provider": "mailjet", "api_key": "k"}, "Second key is missing"),
        ("email", {"from": "a@lakeside.example", "provider": "scaleway", "api_key": "k"}, "Project id is missing"),
        ("slack", {}, "Webhook path is missing"),
        ("whatsapp", {"access_token": "t"}, "Phone number id is missing"),
        ("venue_master", {"access_token": "env:WEDSYNC_SECRET_KEYS"}, "begins with WEDSYNC_CREDENTIAL_"),
        ("venue_master", {"access_token": "env:WEDSYNC_CREDENTIAL_OF_OTHERS"}, "has not listed"),
    ],
)
def test_a_system_that_lacks_what_its_calls_need_is_critical(kind: str, credentials: dict[str, str], said: str) -> None:
    system = SystemFactory(kind=kind, credentials=credentials)

    assert said in swept(system).why[0]
    assert Alert.objects.filter(system=system, cause=Cause.SYSTEM_CRITICAL, resolved_at=None).exists()


@pytest.mark.parametrize("url", ["http://venue.example", "https://10.0.0.1", "venue.example"])
def test_a_base_url_that_cannot_be_called_is_critical(url: str) -> None:
    assert "Base URL" in swept(SystemFactory(base_url=url)).why[0]


def test_a_variable_that_is_listed_and_set_later_lets_go_what_waited(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = OrganizationFactory(slug="lakeside")
    system = SystemFactory(organization=mine, credentials={"access_token": "env:WEDSYNC_CREDENTIAL_VENUE"})
    (waits,) = at_fault(system)
    assert "has not listed" in swept(system).why[0]

    settings.CREDENTIALS_ALLOWED = frozenset({"lakeside:WEDSYNC_CREDENTIAL_VENUE"})
    assert "is not set" in swept(system).why[0]
    monkeypatch.setenv("WEDSYNC_CREDENTIAL_VENUE", "token\n")
    assert "(from WEDSYNC_CREDENTIAL_VENUE): It contains a line break" in swept(system).why[0]
    assert not is_due(waits)
    monkeypatch.setenv("WEDSYNC_CREDENTIAL_VENUE", "token")

    assert swept(system).status != "critical"
    assert is_due(waits)


@pytest.mark.parametrize(("faults", "status"), [(2, "healthy"), (3, "critical"), (7, "critical")])
def test_faults_of_ours_in_a_row_are_critical_from_three_on(faults: int, status: str) -> None:
    system = SystemFactory()
    call(system, started_at=timezone.now() - timedelta(minutes=10))
    at_fault(system, faults)

    found = swept(system)

    assert (found.status, found.own_faults) == (status, faults)
    assert Alert.objects.filter(system=system, cause=Cause.SYSTEM_CRITICAL).exists() == (status == "critical")
    if status == "critical":
        assert "the credentials lack from" in found.why[0]


@pytest.mark.parametrize("outcome", [Outcome.SUCCEEDED, Outcome.FAILED])
def test_a_call_that_reached_the_system_ends_the_row(outcome: Outcome) -> None:
    system = SystemFactory()
    at_fault(system, 5)
    call(system, outcome)

    assert swept(system).own_faults == 0


def test_while_faults_last_one_delivery_tries_and_after_a_success_all_go() -> None:
    system = SystemFactory()
    *others, urgent = [*at_fault(system, 3, priority="normal"), *at_fault(system, priority="urgent")]

    assert swept(system).status == "critical"
    assert (is_due(urgent), [is_due(row) for row in others]) == (True, [False, False, False])

    call(system)
    assert swept(system).status != "critical"
    assert all(is_due(row) for row in others)


def test_what_failed_again_after_the_repair_or_was_tried_often_keeps_to_its_own_schedule() -> None:
    system = SystemFactory()
    at_fault(system, 3)
    swept(system)
    call(system)
    swept(system)
    (later,), (often,) = at_fault(system), at_fault(system, attempt_count=10)
    later.attempts.update(started_at=timezone.now() + timedelta(seconds=1))

    swept(system)

    assert (is_due(later), is_due(often)) == (False, False)


@pytest.mark.parametrize("change", [{"credentials": {"access_token": "new"}}, {"base_url": "https://venue.example/v2"}])
def test_saving_what_was_wrong_lets_go_what_waited_at_once(change: dict[str, Any]) -> None:
    mine = OrganizationFactory()
    ApiKeyFactory(organization=mine, key="wsk_ours")
    owner = UserFactory(username="owner")
    MembershipFactory(organization=mine, user=owner, role=Membership.Role.OWNER)
    system = SystemFactory(organization=mine)
    api_waits, form_waits = at_fault(system, 2)

    assert Api("wsk_ours").send("patch", f"systems/{system.id}/", change).status_code == 200
    assert is_due(api_waits)
    Delivery.objects.filter(id=form_waits.id).update(next_attempt_at=timezone.now() + timedelta(hours=1))
    staff = Client()
    staff.force_login(owner)
    typed = {"name": system.name, "base_url": "https://venue.example/v3", "kind": system.kind}
    assert staff.post(page(System, "change", system.pk), typed).status_code == 302
    assert is_due(form_waits)
