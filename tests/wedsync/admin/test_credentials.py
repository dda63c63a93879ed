"""Credentials and keys go in, or are shown once, and never come out again."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.utils import quote
from django.test import Client

from integrations.models import Connection, ConnectionSecret, System
from tests import factories
from tests.wedsync.admin.conftest import House
from wedsync import vault
from wedsync.weddings.models import ApiKey

SignIn = Callable[..., Client]
WHSEC = "whsec_c2VjcmV0IG9mIHRoZSB0ZXN0cw=="


@pytest.fixture
def client(ours: House, sign_in: SignIn) -> Client:
    return sign_in(ours)


@pytest.fixture
def system(ours: House) -> System:
    return factories.SystemFactory(
        organization=ours.organization,
        name="Venue",
        credentials={"access_token": "the-stored-token", "signing_secret": WHSEC},
    )


def page(system: System) -> str:
    return f"/admin/integrations/system/{system.pk}/change/"


def form(**values: str) -> dict[str, str]:
    return {"name": "Venue", "base_url": "https://venue.example", "kind": "venue_master", **values}


def stored(system: System) -> dict[str, str]:
    return System.objects.get(pk=system.pk).credentials


def test_the_page_says_what_is_set_and_shows_no_value(client: Client, system: System) -> None:
    text = client.get(page(system)).content.decode()

    assert "the-stored-token" not in text
    assert WHSEC not in text
    assert system.sealed_credentials not in text
    assert re.search(r'name="credential_access_token"[^>]*>', text)
    assert "Set." in text


def test_an_empty_field_keeps_what_is_stored(client: Client, system: System) -> None:
    client.post(page(system), form(credential_access_token="another-token"))

    assert stored(system) == {"access_token": "another-token", "signing_secret": WHSEC}


def test_a_dash_removes_a_value(client: Client, system: System) -> None:
    client.post(page(system), form(credential_signing_secret="-"))

    assert stored(system) == {"access_token": "the-stored-token"}


def test_a_refused_form_does_not_send_the_typed_value_back(client: Client, system: System) -> None:
    answer = client.post(page(system), form(name="", credential_access_token="typed-by-hand"))

    assert answer.status_code == 200
    assert "typed-by-hand" not in answer.content.decode()
    assert stored(system)["access_token"] == "the-stored-token"


def test_a_variable_stays_a_variable(
    client: Client, system: System, ours: House, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "WEDSYNC_CREDENTIAL_VENUE_TOKEN"
    settings.CREDENTIALS_ALLOWED = frozenset({f"{ours.organization.slug}:{name}"})
    monkeypatch.setenv(name, "from-the-environment")
    client.post(page(system), form(credential_access_token=f"env:{name}"))
    client.post(page(system), form(credential_signing_secret="-"))
    assert stored(system) == {"access_token": "from-the-environment"}

    monkeypatch.delenv(name)
    text = client.get(page(system)).content.decode()
    settings.CREDENTIALS_ALLOWED = frozenset()
    unlisted = client.get(page(system)).content.decode()

    assert f"from the variable {name}" in text
    assert "from-the-environment" not in text
    assert f"{name}, which is not used" in unlisted


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("credential_access_token", "env:with space", "the name of a variable that begins with WEDSYNC_CREDENTIAL_"),
        ("credential_signing_secret", "not base64!", "base64"),
    ],
)
def test_what_could_never_work_is_refused_at_its_field(
    field: str, value: str, said: str, client: Client, system: System
) -> None:
    answer = client.post(page(system), form(**{field: value}))

    assert said in str(answer.context["adminform"].form.errors[field])
    assert stored(system)["access_token"] == "the-stored-token"


def test_a_lost_key_is_said_and_the_rest_can_still_be_edited(client: Client, system: System, settings: Any) -> None:
    from wedsync.runner.home import fernet_key

    settings.SECRET_KEYS = (fernet_key(),)
    assert "Cannot be decrypted" in client.get(page(system)).content.decode()
    client.post(page(system), form(name="Renamed"))

    kept = System.objects.get(pk=system.pk)
    assert (kept.name, kept.sealed_credentials) == ("Renamed", system.sealed_credentials)


def test_a_new_connection_secret_is_shown_once_and_stored_encrypted(client: Client, ours: House) -> None:
    connection = ours.rows[Connection]
    url = f"/admin/integrations/connection/{quote(connection.pk)}/new-secret/"
    before = ConnectionSecret.objects.filter(connection=connection).count()

    assert client.get(url).status_code == 200
    assert ConnectionSecret.objects.filter(connection=connection).count() == before
    answer = client.post(url, {"overlap": "day"})

    secret = ConnectionSecret.objects.filter(connection=connection).latest("created_at")
    text = vault.decrypt(secret.sealed)
    assert len(text) >= 43
    assert text in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    for later in ("", "change/", "history/"):
        seen = client.get(f"/admin/integrations/connection/{quote(connection.pk)}/{later}", follow=True)
        assert text not in seen.content.decode()


def test_older_secrets_end_and_the_newest_stays(client: Client, ours: House) -> None:
    connection = ours.rows[Connection]
    newest = factories.ConnectionSecretFactory(connection=connection)

    client.post(f"/admin/integrations/connection/{quote(connection.pk)}/end-older/")

    live = ConnectionSecret.objects.filter(connection=connection, expires_at=None)
    assert list(live) == [newest]


def test_a_new_api_key_is_shown_once_and_only_its_hash_is_stored(client: Client) -> None:
    answer = client.post("/admin/weddings/apikey/add/", {"name": "for the website", "scopes": ["live:read"]})

    key = re.search(r"wsk_[A-Za-z0-9_-]{43}", answer.content.decode())
    assert key
    assert "no-store" in answer["Cache-Control"]
    row = ApiKey.objects.get(name="for the website")
    assert row.scopes == ["live:read"]
    assert row.key_hash == ApiKey.hash_of(key.group())
    assert key.group() not in client.get(f"/admin/weddings/apikey/{row.pk}/change/").content.decode()
    assert row.key_hash not in client.get(f"/admin/weddings/apikey/{row.pk}/change/").content.decode()
