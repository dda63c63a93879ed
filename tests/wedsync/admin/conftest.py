"""Two organizations with a row of every kind, and clients of their people."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.admin.utils import quote
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoDbBlocker

from tests import factories
from wedsync.weddings.models import Membership, Organization
from wedsync.weddings.tenant_admin.pages import TenantAdmin

Role = Membership.Role


@dataclass(frozen=True)
class House:
    """An organization, its owner, and one row of each model; ``mark`` stands in every text of theirs."""

    organization: Organization
    mark: str
    rows: dict[type[Model], Any]


def page(model: type[Model], name: str, *keys: object) -> str:
    """The address of a page of the admin. Keys are written as its own links do: ``wsc_2F…`` would mean another."""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=[quote(key) for key in keys])


def make_house(mark: str) -> House:
    """Everything of one organization hangs together, and nothing else is made."""
    mine = {"organization": factories.OrganizationFactory(name=f"{mark} house", slug=f"{mark.lower()}-house")}
    wedding = factories.WeddingFactory(**mine, couple=f"{mark} couple", venue_name=mark, date=date(2027, 6, 19))
    of_wedding = {**mine, "wedding": wedding}
    contact = factories.ContactFactory(**of_wedding, name=f"{mark} person", email=f"{mark.lower()}@people.example")
    system = factories.SystemFactory(**mine, name=f"{mark} system", credentials={"access_token": f"{mark}-token"})
    connection = factories.ConnectionFactory(**mine, system=system, secret=f"{mark}-signing")
    event = factories.EventFactory(**of_wedding, payload={"reason": mark})
    channel = factories.ChannelFactory(**mine, name=f"couple:{mark}:1")
    route = factories.RouteFactory(**mine, system=system, name=f"{mark} route")
    delivery = factories.DeliveryFactory(
        **mine, event=event, system=system, contact=contact, channel="email", target=f"{mark}@people.example"
    )
    factories.ReasonFactory(delivery=delivery, route=route)
    user = factories.UserFactory(username=f"{mark}-owner")
    receipt = factories.ReceiptFactory(**mine, connection=connection, external_id=f"{mark}-1", body=mark.encode())
    made = [mine["organization"], wedding, contact, system, connection, event, channel, route, delivery, user, receipt]
    made += [
        factories.MembershipFactory(**mine, user=user, role=Role.OWNER),
        factories.ApiKeyFactory(**mine, name=f"{mark} key"),
        factories.FormFactory(**of_wedding, title=f"{mark} form"),
        factories.AddressFactory(**mine, channel="email", value=f"{mark}@people.example"),
        factories.ExternalReferenceFactory(**of_wedding, system=system, external_id=f"{mark}-77"),
        factories.EntryFactory(channel=channel, event=event),
        factories.AttemptFactory(delivery=delivery, error=mark),
        factories.AlertFactory(**mine, system=system, text=f"{mark} alert"),
        factories.MessageFactory(**mine, delivery=delivery, subject=f"{mark} subject", text=mark),
        factories.NotificationFactory(**mine, event=event, contact=contact, name=mark),
        factories.MessageTemplateFactory(**mine, text=f"{mark}: {{{{ payload.capacity }}}} seats", note=mark),
        factories.WhatsAppTemplateFactory(
            **mine,
            name=f"{mark.lower()}_update",
            body=f"{mark}: {{{{1}}}} hears that {{{{2}}}} and the details are {{{{3}}}} for now.",
        ),
        factories.IncidentFactory(**of_wedding, event=event, description=mark),
        factories.PersonalLinkFactory(**of_wedding, contact=contact),
        factories.PlanFactory(**mine, steps=[{"channels": ["email"], "until": "read"}]),
        factories.BreakerChangeFactory(**mine, system=system, reason=mark),
        factories.NoticeFactory(
            **mine, connection=connection, receipt=receipt, provider_id=f"{mark}-wamid", data={"text": mark}
        ),
    ]
    for row in made:
        _note_change(user, row, mark)
    return House(mine["organization"], mark, {type(row): row for row in made})


def _note_change(user: User, row: Model, mark: str) -> None:
    """Django's history of a row, whose words must not cross the border either."""
    LogEntry.objects.create(
        user=user,
        content_type=ContentType.objects.get_for_model(row),
        object_id=str(row.pk),
        object_repr=f"{mark} in the history",
        action_flag=CHANGE,
        change_message=f"{mark} changed",
    )


@pytest.fixture(scope="package")
def houses(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[dict[str, House]]:
    """Both organizations, made once: each test works in a savepoint of its own, and on copies of the rows."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield {name: make_house(mark) for name, mark in {"ours": "Lakeside", "theirs": "Zwettl"}.items()}
        transaction.set_rollback(True)


@pytest.fixture
def theirs(houses: dict[str, House], db: None) -> House:
    """The organization that must stay out of sight."""
    return deepcopy(houses["theirs"])


@pytest.fixture
def ours(houses: dict[str, House], db: None) -> House:
    return deepcopy(houses["ours"])


@pytest.fixture
def sign_in() -> Callable[..., Client]:
    """A client of a new member of staff; without an organization: of nobody's; ``operator``: a superuser."""

    def make(*houses: House, role: Role = Role.OWNER, operator: bool = False) -> Client:
        user = factories.UserFactory(is_superuser=operator)
        for house in houses:
            factories.MembershipFactory(organization=house.organization, user=user, role=role)
        client = Client()
        client.force_login(user)
        return client

    return make


def registered() -> Iterator[type[Model]]:
    """Every model with pages that know their border."""
    for model, pages in admin.site._registry.items():
        if isinstance(pages, TenantAdmin):
            yield model
