"""Whom a ticket may be issued for, and which channels it may name."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.factories import ContactFactory, MembershipFactory
from tests.wedsync.api.conftest import Api
from wedsync.live.models import Ticket
from wedsync.weddings.models import ApiKey, Organization

pytestmark = pytest.mark.django_db


def ask(api: Api, **body: Any) -> Any:
    return api.send("post", "/api/channels/tickets/", body)


def refused_at(answer: Any) -> list[str]:
    assert answer.status_code == 422, answer.content
    return [error["field"] for error in answer.json()["errors"]]


@pytest.fixture
def anna(ours: Organization) -> Any:
    return ContactFactory(organization=ours, role="couple")


def test_a_ticket_for_the_couple_names_the_contact_and_its_wedding(api: Api, anna: Any) -> None:
    assert ask(api, contact=str(anna.id)).status_code == 201

    stored = Ticket.objects.get()
    assert (stored.contact_id, stored.wedding_id, stored.channels) == (anna.id, anna.wedding_id, None)


def test_a_ticket_for_a_member_is_named_by_the_user(api: Api, ours: Organization) -> None:
    member = MembershipFactory(organization=ours)

    assert ask(api, user=member.user.username).status_code == 201

    assert Ticket.objects.get().membership_id == member.id


@pytest.mark.parametrize("who", ["contact", "user"])
def test_another_organizations_people_are_unknown(api: Api, who: str) -> None:
    theirs = ContactFactory() if who == "contact" else MembershipFactory()
    said = {"contact": str(theirs.id)} if who == "contact" else {"user": theirs.user.username}

    assert refused_at(ask(api, **said)) == [who]
    assert not Ticket.objects.exists()


def test_patterns_beyond_the_contact_are_refused(api: Api, anna: Any) -> None:
    assert refused_at(ask(api, contact=str(anna.id), channels=["couple:*:*"])) == ["channels"]
    assert refused_at(ask(api, contact=str(anna.id), channels=[f"couple:dashboard:{uuid4()}"])) == ["channels"]
    assert ask(api, contact=str(anna.id), channels=[f"couple:dashboard:{anna.wedding_id}"]).status_code == 201


def test_patterns_beyond_the_key_are_refused(api: Api) -> None:
    ApiKey.objects.update(channels=["couple:*:*"], scopes=["live:read"])

    assert refused_at(ask(api, channels=["supplier:dashboard:1"])) == ["channels"]
    assert refused_at(ask(api, channels=["ops:health:1"])) == ["channels"]
    assert ask(api, channels=["couple:dashboard:*"]).status_code == 201


def test_a_suppliers_contact_needs_named_channels(api: Api, ours: Organization) -> None:
    contact = ContactFactory(organization=ours, role="photographer")

    assert refused_at(ask(api, contact=str(contact.id))) == ["channels"]
    assert refused_at(ask(api, contact=str(contact.id), channels=["supplier:dashboard:*"])) == ["channels"]
    assert ask(api, contact=str(contact.id), channels=[f"supplier:dashboard:{uuid4()}"]).status_code == 201


def test_a_contact_and_a_user_at_once_are_refused(api: Api, ours: Organization, anna: Any) -> None:
    member = MembershipFactory(organization=ours)

    assert refused_at(ask(api, contact=str(anna.id), user=member.user.username)) == ["user"]
