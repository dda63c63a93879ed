"""Rows that were entered rightly are saved at the first try, and an error is always shown, also of a hidden field."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from integrations.models import ClientSync, Connection, Route, System
from tests import factories
from tests.wedsync.admin.conftest import House, page
from wedsync.weddings.models import Contact, Wedding
from wedsync.weddings.tenant_admin import deletions

SignIn = Callable[..., Client]
NO_ROWS = {"TOTAL_FORMS": "0", "INITIAL_FORMS": "0", "MIN_NUM_FORMS": "0", "MAX_NUM_FORMS": "1000"}


def management(prefix: str, rows: int) -> dict[str, str]:
    return {f"{prefix}-{name}": value for name, value in (NO_ROWS | {"TOTAL_FORMS": str(rows)}).items()}


def route(**more: Any) -> dict[str, Any]:
    return {
        "name": "Small halls", "active": "on", "channel_pattern": "supplier:dashboard:{supplierId}", "target": "system",
        "mapping": "{}", "conditions-0-path": "capacity", "conditions-0-operator": "less", "conditions-0-value": "100",
        "conditions-0-effect": "require", **management("conditions", 1), **more,
    }  # fmt: skip


def errors(answer: Any) -> Any:
    if answer.status_code == 302:
        return None
    form = answer.context["adminform"].form
    return form.errors, [inline.formset.errors for inline in answer.context["inline_admin_formsets"]]


def test_a_new_route_with_conditions(ours: House, sign_in: SignIn) -> None:
    system = ours.rows[System]

    answer = sign_in(ours).post(page(Route, "add"), route(system=str(system.pk)))

    assert errors(answer) is None
    assert Route.objects.get(name="Small halls").conditions.get().value == 100


def test_a_new_contact_with_preferences(ours: House, sign_in: SignIn) -> None:
    typed = {
        "wedding": str(ours.rows[Wedding].pk), "name": "Ben", "role": "couple", "phone": "+43 660 1234567",
        "email": "ben@people.example", "preferred_channels": "whatsapp, email", "locale": "de",
        "timezone": "Europe/Vienna",
        "quiet_from": "22:00", "quiet_until": "07:00", "call_order": "1",
        **management("preferences", 1), "preferences-0-category": "bookings", "preferences-0-channel": "email",
    }  # fmt: skip

    answer = sign_in(ours).post(page(Contact, "add"), typed)

    assert errors(answer) is None
    ben = Contact.objects.get(name="Ben")
    assert ben.preferred_channels == ["whatsapp", "email"]
    assert not ben.preferences.get().wanted


def test_a_new_wedding_with_contacts_that_have_preferences(ours: House, sign_in: SignIn) -> None:
    typed = {
        "couple": "Cleo & Dan", "date": "2027-06-19", "timezone": "Europe/Vienna", "venue_name": "Seehof",
        **management("contacts", 1), "contacts-0-name": "Cleo", "contacts-0-role": "couple",
        "contacts-0-email": "cleo@people.example", "contacts-0-preferred_channels": "email",
        "contacts-0-locale": "en",
        "contacts-0-timezone": "Europe/Vienna",
    }  # fmt: skip

    answer = sign_in(ours).post(page(Wedding, "add"), typed)

    assert errors(answer) is None
    assert Contact.objects.get(name="Cleo").preferred_channels == ["email"]


def test_a_condition_is_not_joined_to_another_organizations_route(ours: House, theirs: House, sign_in: SignIn) -> None:
    typed = route(system=str(ours.rows[System].pk)) | {"conditions-0-route": str(theirs.rows[Route].pk)}

    sign_in(ours).post(page(Route, "add"), typed)

    assert not theirs.rows[Route].conditions.exists()


@pytest.mark.parametrize(
    ("typed", "said"),
    [({"mapping": "[", "target": "live", "live_channel": "ops:x:1"}, "Mapping"), ({"roles": "king"}, "Roles")],
)
def test_an_error_of_a_field_that_is_hidden_is_shown_above_the_fields(
    typed: dict[str, str], said: str, ours: House, sign_in: SignIn
) -> None:
    answer = sign_in(ours).post(page(Route, "add"), route(system=str(ours.rows[System].pk)) | typed)

    assert any(each.startswith(said) for each in answer.context["adminform"].form.non_field_errors())


def test_an_error_of_a_credential_of_another_kind_is_shown(ours: House, sign_in: SignIn) -> None:
    typed = {"name": "New", "kind": "slack", "base_url": "https://hooks.slack.com", "credential_api_key": "x" * 3000}

    answer = sign_in(ours).post(page(System, "add"), typed)

    assert any(each.startswith("API key") for each in answer.context["adminform"].form.non_field_errors())


@pytest.mark.parametrize("kind", ["webhook", "email"])
def test_a_connection_of_a_system_that_sends_us_nothing_is_refused(kind: str, ours: House, sign_in: SignIn) -> None:
    credentials = {"provider": "postmark"} if kind == "email" else {}
    mine = {"organization": ours.organization, "kind": kind}
    silent = factories.SystemFactory(**mine, name="Silent", credentials=credentials)

    answer = sign_in(ours).post(page(Connection, "add"), {"system": str(silent.pk), **management("secrets", 0)})

    assert answer.status_code == 200
    assert "system" in answer.context["adminform"].form.errors
    assert not silent.connections.exists()


def test_what_very_many_rows_hang_on_is_not_deleted_and_they_are_not_read(
    ours: House, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: Any
) -> None:
    monkeypatch.setattr(deletions, "MOST_DELETED", 20)
    system = factories.SystemFactory(organization=ours.organization)
    event = factories.EventFactory(organization=ours.organization)
    for number in range(21):
        factories.DeliveryFactory(organization=ours.organization, system=system, event=event, generation=number)
    client = sign_in(ours)

    with django_assert_max_num_queries(60):
        shown = client.get(page(System, "delete", system.pk)).content.decode()
    client.post(page(System, "delete", system.pk), {"post": "yes"})
    many = {"action": "delete_selected", "_selected_action": [str(system.pk)], "post": "yes"}
    client.post(page(System, "changelist"), many)

    assert "More than 20 rows depend on it, deliveries among them" in shown
    assert System.objects.filter(pk=system.pk).exists()


def test_deleting_a_system_says_how_many_references_and_which_cursor_go_with_it(ours: House, sign_in: SignIn) -> None:
    system = factories.SystemFactory(organization=ours.organization, kind="studio_cloud")
    client = sign_in(ours)
    assert "Lost with" not in client.get(page(System, "delete", system.pk)).content.decode()
    for _ in range(2):
        factories.ExternalReferenceFactory(organization=ours.organization, system=system)
    ClientSync.objects.create(organization=ours.organization, system=system, cursor="page-7")

    shown = client.get(page(System, "delete", system.pk)).content.decode()
    many = {"action": "delete_selected", "_selected_action": [str(system.pk)]}
    asked = client.post(page(System, "changelist"), many).content.decode()

    for text in (shown, asked):
        assert f"Lost with {system}: 2 external references and how far its clients have been read" in text
        assert "cursor page-7" in text
    assert System.objects.filter(pk=system.pk).exists()


def test_what_few_rows_hang_on_is_deleted_as_before(ours: House, sign_in: SignIn) -> None:
    wedding = factories.WeddingFactory(organization=ours.organization)
    factories.ContactFactory(organization=ours.organization, wedding=wedding)

    sign_in(ours).post(page(Wedding, "delete", wedding.pk), {"post": "yes"})

    assert not Wedding.objects.filter(pk=wedding.pk).exists()
