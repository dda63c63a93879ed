"""What each role may do, and what nobody may: the table is in wedsync/weddings/tenant_admin/access.py."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib import admin
from django.contrib.admin.utils import quote
from django.db.models import Model
from django.forms.models import model_to_dict
from django.test import Client

from integrations.models import Connection, Delivery, ExternalReference, Route, System
from integrations.states import State
from notifications.models import MessageTemplate, WhatsAppTemplate
from tests import factories
from tests.wedsync.admin.conftest import House, page, registered
from wedsync.live.models import ChannelEvent
from wedsync.weddings.models import Address, ApiKey, Contact, Form, Membership, Organization, Wedding
from wedsync.weddings.tenant_admin.pages import ReadOnlyAdmin

SignIn = Callable[..., Client]
Role = Membership.Role
PLANNERS = {Wedding, Contact, Form, Address, MessageTemplate, WhatsAppTemplate}
SUPPORT = {System, Connection, ExternalReference, Route}
OWNERS = {Organization, Membership, ApiKey}
EDITED = sorted(PLANNERS | SUPPORT | OWNERS, key=lambda model: model._meta.label)
PAST = sorted(
    (model for model in registered() if isinstance(admin.site._registry[model], ReadOnlyAdmin)),
    key=lambda model: model._meta.label,
)
MAY = {Role.PLANNER: PLANNERS, Role.SUPPORT: SUPPORT, Role.OWNER: PLANNERS | SUPPORT | OWNERS}


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("model", EDITED, ids=lambda model: model._meta.label)
def test_a_role_sees_everything_and_changes_what_is_its_own(
    model: type[Model], role: Membership.Role, ours: House, sign_in: SignIn
) -> None:
    client = sign_in(ours, role=role)

    answer = client.get(page(model, "change", ours.rows[model].pk))

    assert answer.status_code == 200
    assert answer.context["has_change_permission"] == (model in MAY[role])
    if model not in MAY[role]:
        assert client.post(page(model, "change", ours.rows[model].pk), {}).status_code == 403
        assert client.get(page(model, "add")).status_code == 403


def test_the_role_counts_in_its_own_organization_only(ours: House, theirs: House, sign_in: SignIn) -> None:
    client = sign_in(ours, role=Role.OWNER)
    user_id = int(client.session["_auth_user_id"])
    Membership.objects.create(user_id=user_id, organization=theirs.organization, role=Role.PLANNER)

    answer = client.post(page(System, "change", theirs.rows[System].pk), {"name": "taken"})

    assert answer.status_code == 403
    deleted = {"action": "delete_selected", "_selected_action": [str(theirs.rows[ExternalReference].pk)], "post": "yes"}
    client.post(page(ExternalReference, "changelist"), deleted)
    assert ExternalReference.objects.filter(pk=theirs.rows[ExternalReference].pk).exists()


@pytest.mark.parametrize("model", PAST, ids=lambda model: model._meta.label)
def test_nobody_changes_the_past(model: type[Model], ours: House, sign_in: SignIn) -> None:
    row = ours.rows[model]
    before = model_to_dict(row)

    for client in (sign_in(ours), sign_in(operator=True)):
        assert client.get(page(model, "change", row.pk)).status_code == 200
        assert client.post(page(model, "change", row.pk), {"type": "x"}).status_code == 403
        assert client.post(page(model, "delete", row.pk), {"post": "yes"}).status_code == 403
        assert client.get(page(model, "add")).status_code == 403
        client.post(
            page(model, "changelist"), {"action": "delete_selected", "_selected_action": [str(row.pk)], "post": "yes"}
        )
    assert model_to_dict(model._default_manager.get(pk=row.pk)) == before


def test_a_system_with_history_can_not_be_deleted(ours: House, sign_in: SignIn) -> None:
    sign_in(ours).post(page(System, "delete", ours.rows[System].pk), {"post": "yes"})

    assert Delivery.objects.filter(pk=ours.rows[Delivery].pk).exists()


@pytest.mark.parametrize("model", PAST, ids=lambda model: model._meta.label)
def test_lists_ask_the_database_as_often_for_many_rows_as_for_one(
    model: type[Model], ours: House, sign_in: SignIn, django_assert_max_num_queries: Callable[..., object]
) -> None:
    client = sign_in(ours)
    made_by = {
        "Delivery": lambda: factories.DeliveryFactory(organization=ours.organization),
        "ChannelEvent": lambda: factories.EventFactory(organization=ours.organization),
        "Attempt": lambda: factories.AttemptFactory(delivery__organization=ours.organization),
        "BreakerChange": lambda: factories.BreakerChangeFactory(organization=ours.organization),
        "Alert": lambda: factories.AlertFactory(organization=ours.organization),
        "Receipt": lambda: factories.ReceiptFactory(organization=ours.organization),
        "ProviderNotice": lambda: factories.NoticeFactory(organization=ours.organization),
        "Message": lambda: factories.MessageFactory(organization=ours.organization),
        "Incident": lambda: factories.IncidentFactory(organization=ours.organization),
        "Notification": lambda: factories.NotificationFactory(organization=ours.organization),
        "Channel": lambda: factories.ChannelFactory(organization=ours.organization),
        "ChannelEntry": lambda: factories.EntryFactory(organization=ours.organization),
        "PersonalLink": lambda: factories.PersonalLinkFactory(organization=ours.organization),
    }[model.__name__]
    for _ in range(25):
        made_by()

    with django_assert_max_num_queries(12):  # type: ignore[operator]
        assert client.get(page(model, "changelist")).status_code == 200


def test_pausing_and_resuming_a_system_lets_held_deliveries_go(ours: House, sign_in: SignIn) -> None:
    client, system = sign_in(ours, role=Role.SUPPORT), ours.rows[System]
    held = factories.DeliveryFactory(
        organization=ours.organization, system=system, state=State.HELD, state_reason="system_paused"
    )
    Delivery.objects.filter(pk=held.pk).update(next_attempt_at=held.expires_at)

    assert client.get(f"/admin/integrations/system/{system.pk}/pause/").status_code == 200
    assert System.objects.get(pk=system.pk).state == "active"
    client.post(f"/admin/integrations/system/{system.pk}/pause/")
    assert System.objects.get(pk=system.pk).state == "paused"
    client.post(f"/admin/integrations/system/{system.pk}/resume/")

    assert System.objects.get(pk=system.pk).state == "active"
    held.refresh_from_db()
    assert held.next_attempt_at < held.expires_at


def test_resuming_a_connection_routes_what_it_held_and_nothing_of_another(ours: House, sign_in: SignIn) -> None:
    client, first = sign_in(ours, role=Role.SUPPORT), ours.rows[Connection]
    second = factories.ConnectionFactory(organization=ours.organization, system=first.system)
    held, other = (
        factories.EventFactory(
            organization=ours.organization,
            source_system_id=connection.system_id,
            source_connection_id=connection.pk,
            routing=ChannelEvent.Routing.HELD,
        )
        for connection in (first, second)
    )
    Connection.objects.filter(system=first.system).update(state="paused")

    client.post(f"/admin/integrations/connection/{quote(first.pk)}/resume/")

    held.refresh_from_db()
    other.refresh_from_db()
    assert (held.routing, other.routing) == (ChannelEvent.Routing.PENDING, ChannelEvent.Routing.HELD)
    assert Connection.objects.get(pk=first.pk).state == "active"


def test_a_planner_has_no_buttons_on_a_system(ours: House, sign_in: SignIn) -> None:
    client, system = sign_in(ours, role=Role.PLANNER), ours.rows[System]

    text = client.get(page(System, "change", system.pk)).content.decode()

    assert "/resume/" not in text
    assert "credential_" not in text
    assert client.post(f"/admin/integrations/system/{system.pk}/pause/").status_code == 404


def test_an_edit_of_a_wedding_is_published(ours: House, sign_in: SignIn) -> None:
    client, wedding = sign_in(ours, role=Role.PLANNER), ours.rows[Wedding]
    values = {name: value for name, value in model_to_dict(wedding).items() if value is not None}
    values |= {
        "ceremony_time": "16:00",
        "couple": "Anna & Benedikt",
        "contacts-TOTAL_FORMS": 0,
        "contacts-INITIAL_FORMS": 0,
    }

    assert client.post(page(Wedding, "change", wedding.pk), values).status_code == 302

    wedding.refresh_from_db()
    assert (wedding.couple, wedding.ceremony_time.hour) == ("Anna & Benedikt", 16)
    event = ChannelEvent.objects.get(wedding=wedding, type="timeline.updated")
    assert event.payload["changes"] == [{"field": "ceremony_time", "before": "15:00", "after": "16:00"}]


def test_a_route_takes_ticked_lists(ours: House, sign_in: SignIn) -> None:
    client, route = sign_in(ours, role=Role.SUPPORT), ours.rows[Route]
    data = {
        "name": "To people", "active": "on", "channel_pattern": "couple:dashboard:*", "target": "people",
        "event_types": ["timeline.updated", "gallery.ready"], "roles": ["couple"], "channels": ["whatsapp", "email"],
        "conditions-TOTAL_FORMS": 0, "conditions-INITIAL_FORMS": 0,
    }  # fmt: skip

    assert client.post(page(Route, "change", route.pk), data).status_code == 302

    route.refresh_from_db()
    assert (route.roles, route.channels) == (["couple"], ["whatsapp", "email"])
    assert set(route.event_types) == {"timeline.updated", "gallery.ready"}
    refused = client.post(page(Route, "change", route.pk), {**data, "channel_pattern": "no pattern"})
    assert "channel_pattern" in refused.context["adminform"].form.errors
