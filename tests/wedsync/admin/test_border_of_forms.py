"""Nothing of another organization is taken over by what a form of the admin is sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models import Model
from django.forms.models import model_to_dict
from django.test import Client

from integrations.models import ExternalReference, Route, System
from tests.wedsync.admin.conftest import House, page
from wedsync.weddings.models import Contact, Membership, Wedding

SignIn = Callable[..., Client]
NO_CONTACTS = {"contacts-TOTAL_FORMS": "0", "contacts-INITIAL_FORMS": "0"}


def posted(model: type[Model], house: House, **changed: Any) -> dict[str, Any]:
    """A whole form of a row, as a browser would post it."""
    row = house.rows[model]
    values = {name: value for name, value in model_to_dict(row).items() if value is not None and name != "organization"}
    return {**values, "_save": "Save", **changed}


FOREIGN_KEYS = [
    (Contact, {"preferred_channels": ""}, "wedding", Wedding),
    (ExternalReference, {}, "wedding", Wedding),
    (ExternalReference, {}, "system", System),
    (ExternalReference, {}, "contact", Contact),
    (Route, {}, "system", System),
    (Route, {}, "contact", Contact),
    (Membership, {}, "user", User),
]


@pytest.mark.parametrize(
    ("model", "extra", "field", "target", "several"),
    [
        pytest.param(*case, several, id=f"{case[0]._meta.label}.{case[2]}-member of {'both' if several else 'one'}")
        for case in FOREIGN_KEYS
        for several in (False, True)
        if not (several and case[3] is User)  # a user may belong to both
    ],
)
def test_a_posted_reference_to_a_foreign_row_is_refused(
    model: type[Model],
    extra: dict[str, str],
    field: str,
    target: type[Model],
    several: bool,
    ours: House,
    theirs: House,
    sign_in: SignIn,
) -> None:
    client = sign_in(*([ours, theirs] if several else [ours]))
    data = posted(model, ours, **extra, **{field: theirs.rows[target].pk})

    answer = client.post(page(model, "change", ours.rows[model].pk), data)

    assert answer.status_code == 200
    errors = answer.context["adminform"].form.errors.keys()
    assert errors - {"__all__"} == {field}, "an error of a field that the page hides is said above the others as well"
    assert getattr(model._default_manager.get(pk=ours.rows[model].pk), f"{field}_id") != theirs.rows[target].pk


def test_a_new_row_can_not_be_made_in_another_organization(ours: House, theirs: House, sign_in: SignIn) -> None:
    client = sign_in(ours)
    data = {"couple": "Eve & Mallory", "date": "2027-06-19", "timezone": "Europe/Vienna", **NO_CONTACTS}

    answer = client.post(page(Wedding, "add"), {**data, "organization": theirs.organization.pk})

    assert answer.status_code == 302
    assert Wedding.objects.get(couple="Eve & Mallory").organization == ours.organization


def test_a_row_never_moves_to_another_organization(ours: House, theirs: House, sign_in: SignIn) -> None:
    client = sign_in(ours, theirs)
    data = {"couple": "Renamed", "date": "2027-06-19", "timezone": "Europe/Vienna", **NO_CONTACTS}

    client.post(page(Wedding, "change", ours.rows[Wedding].pk), {**data, "organization": theirs.organization.pk})

    moved = Wedding.objects.get(couple="Renamed")
    assert moved.organization == ours.organization


def test_an_inline_row_of_another_organization_can_not_be_taken_over(
    ours: House, theirs: House, sign_in: SignIn
) -> None:
    client = sign_in(ours)
    contact = theirs.rows[Contact]
    data = {
        "couple": "Taken", "date": "2027-06-19", "timezone": "Europe/Vienna",
        "contacts-TOTAL_FORMS": "1", "contacts-INITIAL_FORMS": "1", "contacts-0-id": str(contact.pk),
        "contacts-0-wedding": str(ours.rows[Wedding].pk), "contacts-0-name": "Mine now", "contacts-0-role": "couple",
    }  # fmt: skip

    client.post(page(Wedding, "change", ours.rows[Wedding].pk), data)

    contact.refresh_from_db()
    assert contact.name == f"{theirs.mark} person"
    assert contact.organization == theirs.organization
