"""Nothing of another organization is seen, offered, or changed, on any page of the admin."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.utils import quote
from django.contrib.auth.models import User
from django.db.models import ForeignKey, Model
from django.forms.models import model_to_dict
from django.test import Client
from django.urls import reverse

from integrations.models import Connection, System
from tests.factories import MembershipFactory
from tests.wedsync.admin.conftest import House, page, registered
from wedsync.live.models import Ticket
from wedsync.weddings.models import Membership, Organization, Wedding
from wedsync.weddings.tenant_admin.pages import TenantAdmin

SignIn = Callable[..., Client]
MODELS = sorted(registered(), key=lambda model: model._meta.label)
each_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)


def leads_to_organization(model: type[Model], seen: frozenset[type[Model]] = frozenset()) -> bool:
    targets = {field.related_model for field in model._meta.fields if isinstance(field, ForeignKey)} - seen
    return model is Organization or any(leads_to_organization(target, seen | {model}) for target in targets)


def test_every_registered_model_with_a_way_to_an_organization_has_bounded_pages() -> None:
    stock = [
        model._meta.label
        for model, pages in admin.site._registry.items()
        if leads_to_organization(model) and not isinstance(pages, TenantAdmin)
    ]

    assert stock == []
    assert leads_to_organization(Ticket)  # the guard itself works over several steps
    assert {Organization, Wedding, System, User} <= set(MODELS)


def test_the_houses_have_a_row_for_each_page(theirs: House) -> None:
    assert set(MODELS) <= set(theirs.rows)


def test_no_page_uses_a_widget_that_looks_rows_up_by_a_typed_id() -> None:
    for pages in admin.site._registry.values():
        assert not pages.raw_id_fields
        assert all(not inline.raw_id_fields for inline in pages.inlines)


def mention(row: Model) -> str:
    """How a list names a row: a number alone would be found in any page."""
    return f"/{row.pk}/change/" if isinstance(row.pk, int) else str(row.pk)


@each_model
def test_lists_searches_and_filters_show_nothing_of_others(
    model: type[Model], ours: House, theirs: House, sign_in: SignIn
) -> None:
    client = sign_in(ours)

    for query in ({}, {"q": theirs.mark[1:]}, {"all": "1"}, {"p": "1"}):
        answer = client.get(page(model, "changelist"), query)
        if model is User:
            assert answer.status_code == 403
            continue
        assert answer.status_code == 200
        text = answer.content.decode()
        assert theirs.mark not in text
        assert mention(theirs.rows[model]) not in text
        if not query:
            assert mention(ours.rows[model]) in text


@each_model
def test_typed_filters_do_not_probe_hidden_fields(model: type[Model], ours: House, sign_in: SignIn) -> None:
    client = sign_in(ours)

    for lookup in (
        "organization__name__startswith",
        "sealed_credentials__startswith",
        "key_hash__startswith",
        "system__sealed_credentials__startswith",
        "user__password__startswith",
        "organization__memberships__user__password__startswith",
    ):
        answer = client.get(page(model, "changelist"), {lookup: "a"})
        assert answer.status_code in {302, 400, 403}, lookup


@each_model
@pytest.mark.parametrize("name", ["change", "history", "delete"])
def test_pages_of_foreign_rows_are_not_there(
    model: type[Model], name: str, ours: House, theirs: House, sign_in: SignIn
) -> None:
    client, row = sign_in(ours), theirs.rows[model]
    before = model_to_dict(row)

    for answer in (
        client.get(page(model, name, row.pk)),
        client.post(page(model, name, row.pk), {"post": "yes"}),
        client.get(page(model, name, row.pk), {"_to_field": "id", "_popup": "1"}),
    ):
        assert answer.status_code in {302, 403, 404}
        assert theirs.mark not in answer.content.decode()
    assert model_to_dict(model._default_manager.get(pk=row.pk)) == before


@each_model
def test_pages_of_own_rows_offer_nothing_of_others(
    model: type[Model], ours: House, theirs: House, sign_in: SignIn
) -> None:
    client = sign_in(ours)
    names = [
        ("change", ours.rows[model].pk),
        ("history", ours.rows[model].pk),
        ("delete", ours.rows[model].pk),
        ("add",),
    ]

    for name, *args in names:
        answer = client.get(page(model, name, *args))
        assert answer.status_code in {200, 403}
        text = answer.content.decode()
        assert theirs.mark not in text
        assert str(theirs.organization.pk) not in text
        if name == "change" and model is not User:
            assert answer.status_code == 200


@each_model
def test_actions_leave_foreign_rows_alone(model: type[Model], ours: House, theirs: House, sign_in: SignIn) -> None:
    client, row = sign_in(ours), theirs.rows[model]

    for action in ("delete_selected", *(admin.site._registry[model].actions or ())):
        answer = client.post(
            page(model, "changelist"),
            {"action": action, "_selected_action": [str(row.pk)], "post": "yes", "select_across": "0"},
        )
        assert theirs.mark not in answer.content.decode()
        assert model._default_manager.filter(pk=row.pk).exists()


@each_model
def test_autocomplete_offers_nothing_of_others(model: type[Model], ours: House, theirs: House, sign_in: SignIn) -> None:
    client = sign_in(ours)

    for source in apps.get_models():
        for field in source._meta.fields:
            if not (isinstance(field, ForeignKey) and field.related_model is model):
                continue
            for term in ("", theirs.mark):
                query = {
                    "app_label": source._meta.app_label,
                    "model_name": source._meta.model_name,
                    "field_name": field.name,
                    "term": term,
                }
                answer = client.get(reverse("admin:autocomplete"), query)
                assert theirs.mark not in answer.content.decode()


@each_model
def test_staff_without_an_organization_see_nothing(
    model: type[Model], ours: House, theirs: House, sign_in: SignIn
) -> None:
    client = sign_in()

    assert client.get(page(model, "changelist")).status_code == 403
    assert client.get(page(model, "change", ours.rows[model].pk)).status_code in {302, 403}
    assert client.get(page(model, "add")).status_code == 403


@each_model
def test_operators_see_both(model: type[Model], ours: House, theirs: House, sign_in: SignIn) -> None:
    client = sign_in(operator=True)

    text = client.get(page(model, "changelist")).content.decode()
    assert str(ours.rows[model].pk) in text
    assert str(theirs.rows[model].pk) in text
    assert client.get(page(model, "change", theirs.rows[model].pk)).status_code == 200
    assert client.get(page(model, "add")).status_code in {200, 403}


@pytest.mark.parametrize("path", ["resume", "pause", "disable", "new-secret", "end-older"])
def test_buttons_of_foreign_rows_are_not_there(path: str, ours: House, theirs: House, sign_in: SignIn) -> None:
    client = sign_in(ours)

    for model in (System, Connection):
        row = theirs.rows[model]
        address = f"/admin/integrations/{model._meta.model_name}/{quote(row.pk)}/{path}/"
        for answer in (client.get(address), client.post(address)):
            assert answer.status_code in {302, 404}
        assert model._default_manager.get(pk=row.pk).state == "active"


def test_recent_actions_end_with_the_membership(ours: House, theirs: House) -> None:
    client = Client()
    member = theirs.rows[User]
    client.force_login(member)
    assert f"{theirs.mark} in the history" in client.get(reverse("admin:index")).content.decode()

    Membership.objects.filter(user=member).delete()
    MembershipFactory(user=member, organization=ours.organization)

    assert theirs.mark not in client.get(reverse("admin:index")).content.decode().replace(member.username, "")
