"""Rows that were stored as typed come into one form, and where two become one the stricter fact counts."""

from datetime import UTC, datetime
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.db import connection

from tests.factories import AddressFactory, ContactFactory, OrganizationFactory
from wedsync.weddings.models import Address, AddressAlias

pytestmark = pytest.mark.django_db
EARLY, LATE = datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 6, 19, tzinfo=UTC)
migration: Any = import_module("wedsync.weddings.migrations.0006_addresses_in_one_form")


def bring() -> None:
    for step in (migration.addresses, migration.contacts):
        step(apps, connection.schema_editor())


@pytest.mark.parametrize(
    ("channel", "typed", "value"),
    [
        ("whatsapp", "+1 202-555-0101", "+12025550101"),
        ("email", "Ben@People.Example", "ben@people.example"),
        ("email", "Not an address", "not an address"),
        ("whatsapp", "call me", "call me"),
    ],
)
def test_an_address_gets_its_one_form_and_keeps_its_facts(channel: str, typed: str, value: str) -> None:
    row = AddressFactory(channel=channel, value=typed, opted_out_at=LATE)

    for _ in range(2):
        bring()

    row.refresh_from_db()
    assert (row.value, row.opted_out_at) == (value, LATE)
    assert row.changes.count() == (1 if value != typed else 0)


FACTS = [
    ({"opted_out_at": EARLY}, {}, {"opted_out_at": EARLY}),
    ({}, {"opted_out_at": EARLY}, {"opted_out_at": EARLY}),
    ({"opted_out_at": EARLY}, {"opted_out_at": LATE}, {"opted_out_at": LATE}),
    ({}, {"bounced_at": LATE, "bounce_reason": "No box"}, {"bounced_at": LATE, "bounce_reason": "No box"}),
    ({"bounced_at": EARLY}, {"bounced_at": LATE, "bounce_reason": "x"}, {"bounced_at": EARLY, "bounce_reason": ""}),
    ({"complained_at": LATE}, {"complained_at": EARLY}, {"complained_at": EARLY}),
    ({}, {"complained_at": EARLY}, {"complained_at": EARLY}),
    ({"last_inbound_at": EARLY}, {"last_inbound_at": LATE}, {"last_inbound_at": LATE}),
    (
        {"consented_at": EARLY, "consent_source": "paper"},
        {"consented_at": LATE, "consent_source": "phone", "opted_out_at": EARLY},
        {"consented_at": LATE, "consent_source": "phone", "opted_out_at": EARLY},
    ),
]


@pytest.mark.parametrize(("kept", "typed", "expected"), FACTS)
@pytest.mark.parametrize("typed_first", [True, False])
def test_of_two_rows_that_are_one_address_the_stricter_facts_count(
    kept: dict[str, Any], typed: dict[str, Any], expected: dict[str, Any], typed_first: bool
) -> None:
    organization, none = OrganizationFactory(), {"consented_at": None, "consent_source": ""}
    of = {"organization": organization, "channel": "email"}
    made = [("ben@people.example", kept), ("Ben@People.Example", typed)]
    for value, facts in reversed(made) if typed_first else made:
        AddressFactory(**of, value=value, **{**none, **facts})

    bring()

    (row,) = Address.objects.filter(organization=organization)
    assert row.value == "ben@people.example"
    assert {name: getattr(row, name) for name in expected} == expected
    assert row.changes.get().what == "merged"


def test_three_spellings_become_one_row_that_keeps_names_and_history() -> None:
    organization = OrganizationFactory()
    rows = [
        AddressFactory(organization=organization, value=value)
        for value in ("+1 202 555 0101", "+1 (202) 555-0101", "+12025550101")
    ]
    for row in rows:
        AddressAlias.objects.create(organization=organization, channel="whatsapp", alias="12025550199", address=row)
        row.changes.create(organization=organization, what="consent", by="clara")

    bring()

    (row,) = Address.objects.filter(organization=organization)
    assert row.aliases.count() == 1
    assert row.changes.filter(what="consent").count() == 3


def test_the_same_address_of_another_organization_is_another_one() -> None:
    AddressFactory(channel="email", value="Ben@People.Example")
    AddressFactory(channel="email", value="ben@people.example", opted_out_at=EARLY)

    bring()

    assert sorted(bool(row.opted_out_at) for row in Address.objects.all()) == [False, True]


def test_contacts_get_the_form_that_is_compared() -> None:
    contact = ContactFactory(phone="+1 202-555-0101", email="Ben@People.Example")
    other = ContactFactory(phone="ask Clara", email="")

    bring()

    contact.refresh_from_db()
    other.refresh_from_db()
    assert (contact.phone, contact.email) == ("+12025550101", "ben@people.example")
    assert (other.phone, other.email) == ("ask Clara", "")
