"""Addresses in the admin: kept in one form however they are typed, and changed by staff with a reason that is kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.factories import AddressFactory
from tests.wedsync.admin.conftest import House, page
from wedsync.weddings.models import Address, AddressChange, Contact, Membership, Wedding

SignIn = Callable[..., Client]
TYPED = [
    ("whatsapp", "+1 202-555-0101", "+12025550101"),
    ("whatsapp", "tel:+43 (660) 123 45 67", "+436601234567"),
    ("email", " Ben@People.Example ", "ben@people.example"),
]


def form(**values: Any) -> dict[str, Any]:
    typed = {"channel": "whatsapp", "value": "", "consent_source": ""}
    moments = {f"{name}_{part}": "" for name in ("consented_at", "opted_out_at") for part in (0, 1)}
    return typed | moments | values


@pytest.mark.parametrize(("channel", "typed", "kept"), TYPED)
def test_an_opt_out_counts_however_the_address_is_typed(
    ours: House, sign_in: SignIn, channel: str, typed: str, kept: str
) -> None:
    client = sign_in(ours)
    out = {"opted_out_at_0": "2026-06-19", "opted_out_at_1": "12:00:00"}

    answer = client.post(page(Address, "add"), form(channel=channel, value=typed, **out))

    assert answer.status_code == 302
    made = Address.objects.get(organization=ours.organization, value=kept)
    assert made.blocked_because == "opted_out"
    assert made.changes.get().what == "opted_out"
    twice = client.post(page(Address, "add"), form(channel=channel, value=typed))
    assert "already exists" in twice.content.decode()


@pytest.mark.parametrize(
    ("channel", "typed"),
    [
        ("whatsapp", "0660 1234567"),
        ("whatsapp", "ben@people.example"),
        ("whatsapp", "+43 660 1234567 ext. 5"),
        ("email", "+12025550101"),
        ("email", "ben at people"),
        ("slack", "U123"),
    ],
)
def test_what_is_no_address_of_its_channel_is_refused(ours: House, sign_in: SignIn, channel: str, typed: str) -> None:
    before = Address.objects.count()

    assert sign_in(ours).post(page(Address, "add"), form(channel=channel, value=typed)).status_code == 200
    assert Address.objects.count() == before


MARKS = [
    ("opt_out", {}, "opted_out_at", True, "opted_out"),
    ("end_opt_out", {"opted_out_at": timezone.now()}, "opted_out_at", False, "opted_in"),
    ("lift_bounce", {"bounced_at": timezone.now(), "bounce_reason": "No box"}, "bounced_at", False, "bounce_lifted"),
    ("lift_complaint", {"complained_at": timezone.now()}, "complained_at", False, "complaint_lifted"),
]


@pytest.mark.parametrize(("button", "marks", "field", "marked", "what"), MARKS)
def test_staff_change_a_mark_with_a_reason_that_is_kept_with_their_name(
    ours: House, sign_in: SignIn, button: str, marks: dict[str, Any], field: str, marked: bool, what: str
) -> None:
    client = sign_in(ours)
    row = AddressFactory(organization=ours.organization, **marks)
    url = reverse(f"admin:weddings_address_{button}", args=[row.pk])

    asked = [client.get(url), client.post(url, {"reason": ""}), client.post(url, {"reason": " \n"})]
    row.refresh_from_db()
    assert [answer.status_code for answer in asked] == [200, 200, 200]
    assert bool(getattr(row, field)) is not marked, "without a reason nothing changes"
    client.post(url, {"reason": "Anna asked for it by phone"})

    row.refresh_from_db()
    assert bool(getattr(row, field)) is marked
    change = row.changes.get()
    assert (change.what, change.reason, change.by) == (what, "Anna asked for it by phone", client_name(client))
    shown = client.get(page(Address, "change", row.pk)).content.decode()
    assert "Anna asked for it by phone" in shown


def client_name(client: Client) -> str:
    return str(Membership.objects.get(user_id=client.session["_auth_user_id"]).user.get_username())


@pytest.mark.parametrize(("button", "marks", "field", "marked", "what"), MARKS)
def test_others_and_support_change_no_mark(
    ours: House, theirs: House, sign_in: SignIn, button: str, marks: dict[str, Any], field: str, marked: bool, what: str
) -> None:
    row = AddressFactory(organization=ours.organization, **marks)
    url = reverse(f"admin:weddings_address_{button}", args=[row.pk])

    answers = [
        client.post(url, {"reason": "x"}) for client in (sign_in(theirs), sign_in(ours, role=Membership.Role.SUPPORT))
    ]

    assert [answer.status_code for answer in answers] == [404, 404]
    row.refresh_from_db()
    assert bool(getattr(row, field)) is not marked
    assert not AddressChange.objects.exists()


def test_saving_the_page_ends_no_opt_out_and_deleting_forgets_none(ours: House, sign_in: SignIn) -> None:
    client = sign_in(ours)
    row = AddressFactory(organization=ours.organization, opted_out_at=timezone.now())

    client.post(page(Address, "change", row.pk), form(consent_source="told us"))
    refused = client.post(page(Address, "delete", row.pk), {"post": "yes"})
    client.post(page(Address, "changelist"), {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"})

    row.refresh_from_db()
    assert (refused.status_code, row.consent_source, bool(row.opted_out_at)) == (403, "told us", True)
    assert row.changes.get().what == "consent"


CONTACT = {
    "name": "Eva Brand", "role": "vendor", "phone": "", "email": "", "preferred_channels": "", "locale": "de-AT",
    "timezone": "Europe/Vienna", "quiet_from": "", "quiet_until": "", "call_order": "",
}  # fmt: skip


def contact_form(house: House, **values: Any) -> dict[str, Any]:
    rows = {"preferences-TOTAL_FORMS": "0", "preferences-INITIAL_FORMS": "0"}
    return {"wedding": str(house.rows[Wedding].pk), **CONTACT, **rows, **values}


@pytest.mark.parametrize("phone", ["+43 660 123 45 67", "+43 (660) 123-45-67", "tel:+43-660-123-45-67"])
def test_a_contacts_phone_and_email_are_kept_in_one_form(ours: House, sign_in: SignIn, phone: str) -> None:
    answer = sign_in(ours).post(page(Contact, "add"), contact_form(ours, phone=phone, email="Eva@People.Example"))

    assert answer.status_code == 302
    made = Contact.objects.get(name="Eva Brand")
    assert (made.phone, made.email, made.locale) == ("+436601234567", "eva@people.example", "de-AT")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("locale", "Deutsch"), ("locale", "xx"), ("locale", ""), ("locale", "de_AT"), ("timezone", "Vienna time"),
        ("timezone", "Factory"), ("timezone", "localtime"), ("timezone", "UTC+2"), ("timezone", ""),
    ],
)  # fmt: skip
def test_a_language_and_a_time_zone_that_are_none_are_refused(
    ours: House, sign_in: SignIn, name: str, value: str
) -> None:
    answer = sign_in(ours).post(page(Contact, "add"), contact_form(ours, **{name: value}))

    assert answer.status_code == 200
    assert not Contact.objects.filter(name="Eva Brand").exists()


@pytest.mark.parametrize(("name", "value"), [("locale", "it"), ("locale", "pt-BR"), ("timezone", "CET")])
def test_what_a_contact_has_already_stays_though_the_list_does_not_offer_it(
    ours: House, sign_in: SignIn, name: str, value: str
) -> None:
    client, contact = sign_in(ours), ours.rows[Contact]
    Contact.objects.filter(pk=contact.pk).update(**{name: value})

    shown = client.get(page(Contact, "change", contact.pk)).content.decode()

    assert f'<option value="{value}" selected>' in shown
