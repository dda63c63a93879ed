"""Credentials from the environment: only what the operator lists is used."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from itertools import product
from typing import Any

import pytest
from django.test import Client

from integrations.accounts.rules import Credential
from integrations.credentials.kinds import every
from integrations.errors import DeliveryError
from integrations.models import System
from integrations.remote_reads import availability
from integrations.states import Outcome, Reason, State
from tests.factories import ApiKeyFactory, MembershipFactory, OrganizationFactory, SystemFactory, UserFactory
from tests.integrations.credentials.named import NAME, SENTINEL, complete, delivery, rows_with, try_once
from tests.wedsync.admin.conftest import page
from tests.wedsync.api.conftest import Api
from wedsync.weddings.models import Membership, Organization

NOT_OURS = [
    "env:WEDSYNC_SECRET_KEYS",
    "env:DATABASE_URL",
    "env:PATH",
    "env:wedsync_credential_of_lakeside",
    "env:WEDSYNC_CREDENTIAL_",
    "env:WEDSYNC_CREDENTIAL_OF_ANOTHER",
    "env:",
    f"env: {NAME}",
    f"env:{NAME}\n",
    f"env:X_{NAME}",
]


@pytest.mark.parametrize("credential", every(), ids=lambda each: each.name)
def test_a_variable_that_is_not_listed_is_refused_by_the_api_at_its_field(
    credential: Credential, lakeside: Organization
) -> None:
    ApiKeyFactory(organization=lakeside, key="wsk_ours")
    for kind, value in product(every()[credential], NOT_OURS):
        system = SystemFactory(organization=lakeside, kind=kind)
        answer = Api("wsk_ours").send("patch", f"systems/{system.id}/", {"credentials": {credential.name: value}})

        assert answer.status_code == 422, (value, answer.content)
        assert [error["field"] for error in answer.json()["errors"]] == [f"credentials.{credential.name}"]
    assert not System.objects.exclude(sealed_credentials="").exists()


@pytest.mark.parametrize("credential", every(), ids=lambda each: each.name)
def test_a_variable_that_is_not_listed_is_refused_by_the_form_at_its_field(
    credential: Credential, lakeside: Organization
) -> None:
    owner = UserFactory(username="owner")
    MembershipFactory(organization=lakeside, user=owner, role=Membership.Role.OWNER)
    client = Client()
    client.force_login(owner)
    system = SystemFactory(organization=lakeside, kind=every()[credential][0])

    for value in ("env:WEDSYNC_SECRET_KEYS", "env:WEDSYNC_CREDENTIAL_OF_ANOTHER", "env:"):
        typed = {"name": "Any", "base_url": "https://any.example", "kind": system.kind, credential.field: value}
        answer = client.post(page(System, "change", system.pk), typed)

        assert answer.status_code == 200, value
        assert credential.field in answer.context["adminform"].form.errors
    system.refresh_from_db()
    assert system.sealed_credentials == ""


def test_a_variable_counts_for_the_organization_alone_for_which_it_is_listed(
    lakeside: Organization, listed: Callable[..., None]
) -> None:
    listed(SENTINEL)
    ApiKeyFactory(organization=lakeside, key="wsk_ours")
    ApiKeyFactory(organization=OrganizationFactory(slug="lake"), key="wsk_theirs")
    body = {"name": "Venue", "kind": "venue_master", "base_url": "https://venue.example"}
    body["credentials"] = {"access_token": f"env:{NAME}"}  # type: ignore[assignment]

    ours, theirs = (Api(key).send("post", "systems/", body) for key in ("wsk_ours", "wsk_theirs"))

    assert ours.status_code == 201, ours.content
    assert System.objects.get(id=ours.json()["id"]).credentials == {"access_token": SENTINEL}
    assert theirs.status_code == 422
    assert "WEDSYNC_CREDENTIALS_ALLOWED" in theirs.content.decode()
    assert SENTINEL not in theirs.content.decode()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", System.Kind.values)
@pytest.mark.parametrize("value", ["env:WEDSYNC_SECRET_KEYS", "env:WEDSYNC_CREDENTIAL_OF_ANOTHER", f"env:{NAME}"])
def test_a_row_that_names_what_is_not_listed_calls_nobody_and_shows_nothing(
    kind: str,
    value: str,
    lakeside: Organization,
    echo: Any,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Rows that were written before names were bounded, and rows whose variable was taken off the list."""
    settings.CREDENTIALS_ALLOWED = frozenset({f"another:{NAME}", "another:WEDSYNC_CREDENTIAL_OF_ANOTHER"})
    for name in (NAME, "WEDSYNC_CREDENTIAL_OF_ANOTHER", "WEDSYNC_SECRET_KEYS"):
        monkeypatch.setenv(name, SENTINEL)
    stored = complete(kind)
    for name in stored:
        system = SystemFactory(organization=lakeside, kind=kind, base_url=echo.url, credentials={**stored, name: value})
        row = delivery(system)

        attempt = try_once(row)

        row.refresh_from_db()
        assert (attempt.outcome, attempt.error_class) == (Outcome.FAILED, "OurFault"), name
        assert f"the credential {name} cannot be used" in attempt.error
        assert (row.state, row.state_reason) == (State.SCHEDULED, Reason.OUR_FAULT)
    assert echo.heard == []
    assert rows_with(SENTINEL) == []


def test_a_question_asks_nobody_with_a_variable_that_is_not_listed(
    lakeside: Organization, echo: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEDSYNC_SECRET_KEYS", SENTINEL)
    credentials = {"access_token": "env:WEDSYNC_SECRET_KEYS"}
    system = SystemFactory(organization=lakeside, base_url=echo.url, credentials=credentials)

    with pytest.raises(DeliveryError, match="access_token cannot be used"):
        availability.check(system, date(2030, 6, 19), 80)

    assert echo.heard == []
