"""The pages of connections: their limits, their secrets, and who still signs with an old one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.utils import quote
from django.test import Client
from django.utils import timezone

from integrations.models import Connection, ConnectionSecret, System
from integrations.systems import connection_secrets
from tests import factories
from tests.wedsync.admin.conftest import House
from wedsync import vault
from wedsync.weddings.models import Membership

SignIn = Callable[..., Client]
Role = Membership.Role
Purpose = ConnectionSecret.Purpose
RESEND = "whsec_c2VjcmV0IG9mIHRoZSB0ZXN0cw=="


@pytest.fixture
def client(ours: House, sign_in: SignIn) -> Client:
    return sign_in(ours, role=Role.SUPPORT)


def of_kind(house: House, kind: System.Kind) -> Connection:
    made: Connection = factories.ConnectionFactory(organization=house.organization, system__kind=kind)
    return made


def page(row: Connection, name: str = "change") -> str:
    return f"/admin/integrations/connection/{quote(row.pk)}/{name}/"


def limits(**values: str) -> dict[str, str]:
    """The form, with its inline as it came."""
    return {"limit_per_hour": "", "networks": "", "secrets-TOTAL_FORMS": "0", "secrets-INITIAL_FORMS": "0"} | values


def test_limits_and_networks_are_stored(client: Client, ours: House) -> None:
    row = ours.rows[Connection]
    networks = "203.0.113.0/24, 2001:db8::/32,198.51.100.7, 203.0.113.0/24"

    assert client.post(page(row), limits(limit_per_hour="50", networks=networks)).status_code == 302

    row.refresh_from_db()
    assert row.limit_per_hour == 50
    assert row.networks == ["203.0.113.0/24", "2001:db8::/32", "198.51.100.7/32"]
    assert "203.0.113.0/24, 2001:db8::/32" in client.get(page(row)).content.decode()
    client.post(page(row), limits())
    row.refresh_from_db()
    assert (row.limit_per_hour, row.networks) == (None, [])


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("networks", "0.0.0.0/0", "too wide"),
        ("networks", "128.0.0.0/7", "at least 8 bits"),
        ("networks", "2000::/15", "at least 16 bits"),
        ("networks", "203.0.113.9/24", "with zeros after the prefix"),
        ("networks", "our office", "is not a network"),
        ("networks", ", ".join(f"10.{number}.0.0/16" for number in range(51)), "at most 50"),
        ("limit_per_hour", "0", "greater than or equal to 1"),
    ],
)
def test_limits_that_make_no_sense_are_refused_at_their_field(
    field: str, value: str, said: str, client: Client, ours: House
) -> None:
    answer = client.post(page(ours.rows[Connection]), limits(**{field: value}))

    assert said in str(answer.context["adminform"].form.errors[field])


@pytest.mark.parametrize(
    ("kind", "address", "buttons"),
    [
        (System.Kind.VENUE_MASTER, "/api/webhooks/channel-events/", {"new-secret"}),
        (System.Kind.WHATSAPP, "/api/webhooks/providers/whatsapp/", {"enter-secret", "new-handshake"}),
        (System.Kind.SLACK, "/api/webhooks/providers/slack/", {"enter-secret"}),
        (System.Kind.EMAIL, "/api/webhooks/providers/resend/", {"enter-secret"}),
    ],
)
def test_each_kind_shows_its_own_address_and_takes_its_own_secrets(
    kind: System.Kind, address: str, buttons: set[str], client: Client, ours: House
) -> None:
    row = of_kind(ours, kind)

    text = client.get(page(row)).content.decode()

    assert f"{address}{row.pk}" in text
    every = {"new-secret", "enter-secret", "new-handshake"}
    assert {name for name in every if page(row, name) in text} == buttons
    assert {name for name in every if client.get(page(row, name)).status_code == 200} == buttons
    assert {name for name in every if client.post(page(row, name), {}).status_code == 200} == buttons
    assert not row.secrets.exists(), "nothing is made before the question is answered"


def test_a_providers_secret_goes_in_and_never_comes_out(client: Client, ours: House) -> None:
    row = of_kind(ours, System.Kind.EMAIL)
    entered = client.post(page(row, "enter-secret"), {"text": RESEND, "overlap": "none"}, follow=True)

    assert vault.decrypt(row.secrets.get().sealed) == RESEND
    for answer in (entered, client.get(page(row)), client.get(page(row, "history"))):
        assert RESEND not in answer.content.decode()


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (System.Kind.EMAIL, "not-a-whsec"),
        (System.Kind.SLACK, "two words"),
        (System.Kind.SLACK, "ümläut"),
        ("slack", ""),
    ],
)
def test_a_secret_that_can_not_be_right_is_refused_and_not_sent_back(
    kind: System.Kind, text: str, client: Client, ours: House
) -> None:
    row = of_kind(ours, System.Kind(kind))

    answer = client.post(page(row, "enter-secret"), {"text": text, "overlap": "day"})

    assert "text" in answer.context["form"].errors
    assert not text or text not in answer.content.decode()
    assert not row.secrets.exists()


def test_a_verify_token_is_shown_once_and_is_no_signing_secret(client: Client, ours: House) -> None:
    row = of_kind(ours, System.Kind.WHATSAPP)

    shown = client.post(page(row, "new-handshake"), {"overlap": "none"})

    token = vault.decrypt(row.secrets.get(purpose=Purpose.HANDSHAKE).sealed)
    assert token in shown.content.decode()
    assert "no-store" in shown["Cache-Control"]
    assert token not in client.get(page(row)).content.decode()


def test_without_a_key_no_secret_is_made_and_the_page_says_why(client: Client, ours: House, settings: Any) -> None:
    row = ours.rows[Connection]
    settings.SECRET_KEYS = ()

    answer = client.post(page(row, "new-secret"), {"overlap": "day"}, follow=True)

    assert "No secret was stored: WEDSYNC_SECRET_KEYS is empty" in answer.content.decode()


def test_the_use_of_an_older_secret_is_shown_until_that_ends(client: Client, ours: House) -> None:
    row = ours.rows[Connection]
    older = row.secrets.get()
    connection_secrets.new_secret(row, overlap=timedelta(days=1))
    assert "not used" in client.get(page(row)).content.decode()
    made = factories.ReceiptFactory(organization=ours.organization, connection=row, older_secret_id=older.pk)
    type(made).objects.filter(pk=made.pk).update(received_at=timezone.now() - timedelta(minutes=5))

    for address in (page(row), "/admin/integrations/connection/"):
        text = client.get(address).content.decode().replace("\xa0", " ")
        assert "was used 5 minutes ago" in text
    assert "5 minutes ago" in client.get(page(row)).content.decode().replace("\xa0", " ")

    connection_secrets.end_older_secrets(row)
    assert "was used" not in client.get(page(row)).content.decode()


def test_the_list_asks_the_database_as_often_for_many_connections_as_for_one(
    client: Client, ours: House, django_assert_max_num_queries: Callable[..., object]
) -> None:
    factories.ConnectionFactory.create_batch(20, organization=ours.organization, system=ours.rows[System], secret="s")

    with django_assert_max_num_queries(12):  # type: ignore[operator]
        assert client.get("/admin/integrations/connection/").status_code == 200


def test_a_strangers_connection_gets_no_secret(client: Client, theirs: House) -> None:
    row = theirs.rows[Connection]
    before = row.secrets.count()

    for name in ("new-secret", "enter-secret", "new-handshake", "end-older"):
        assert client.post(page(row, name), {"overlap": "none", "text": "x"}).status_code == 404
    assert row.secrets.count() == before


def test_a_planner_has_no_secrets_buttons(ours: House, sign_in: SignIn) -> None:
    client, row = sign_in(ours, role=Role.PLANNER), ours.rows[Connection]

    assert "/new-secret/" not in client.get(page(row)).content.decode()
    assert client.post(page(row, "new-secret"), {"overlap": "none"}).status_code == 404
