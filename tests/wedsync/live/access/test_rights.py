"""Rights end with the key, the person and the link that they come from."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests.factories import MembershipFactory, WeddingFactory
from tests.wedsync.live.access.ways_in import let_in, of_link, of_ticket, own
from wedsync.live.access import rights, tickets
from wedsync.live.access.passes import Pass
from wedsync.live.close_codes import CloseCode
from wedsync.weddings import personal_links
from wedsync.weddings.models import ApiKey, Contact, Membership, Organization, PersonalLink

pytestmark = pytest.mark.django_db


def moved(contact: Contact) -> object:
    other = WeddingFactory(organization=contact.organization)
    return Contact.objects.filter(id=contact.id).update(wedding=other)


LINK_ENDS: dict[str, tuple[Callable[[Contact], object], CloseCode]] = {
    "revoked": (lambda _: personal_links.revoke(PersonalLink.objects.all(), "staff"), CloseCode.RIGHT_WITHDRAWN),
    "expired": (
        lambda _: PersonalLink.objects.update(expires_at=timezone.now() - timedelta(minutes=1)),
        CloseCode.RIGHT_WITHDRAWN,
    ),
    "contact moved": (moved, CloseCode.RIGHT_WITHDRAWN),
    "contact deleted": (lambda anna: anna.delete(), CloseCode.RIGHT_WITHDRAWN),
    "another role": (lambda _: Contact.objects.update(role="vendor"), CloseCode.RIGHT_WITHDRAWN),
}


class Open:
    """A connection that was let in."""

    def __init__(self, pass_: Pass) -> None:
        self.bearer, self.rights = pass_.bearer, pass_.rights

    def end(self, code: CloseCode, reason: str) -> None:
        """It is not ended here."""


def ends_with(pass_: Pass) -> CloseCode | None:
    found = rights.reason_to_close(Open(pass_), rights.current_rights({pass_.bearer}))
    return found[0] if found else None


def is_let_in(text: str, channel: str) -> bool:
    try:
        pass_ = tickets.redeem(text)
    except tickets.MayNotFollow:
        return False
    return pass_ is not None and pass_.covers(channel)


@pytest.mark.parametrize("end", LINK_ENDS)
def test_rights_behind_a_link_end_with_it(link: PersonalLink, anna: Contact, end: str) -> None:
    pass_ = let_in(of_link(link))
    text, _ = tickets.issue_for_contact(anna.id, link.id)
    assert ends_with(pass_) is None
    withdraw, code = LINK_ENDS[end]

    withdraw(anna)

    assert ends_with(pass_) == code
    assert not is_let_in(text, own(anna))


@pytest.mark.parametrize("end", ["revoked", "expired", "contact moved", "another role"])
def test_a_link_that_has_ended_gets_no_ticket(link: PersonalLink, anna: Contact, end: str) -> None:
    LINK_ENDS[end][0](anna)

    with pytest.raises(tickets.LinkEnded):
        tickets.issue_for_contact(anna.id, link.id)


def test_a_link_gives_no_ticket_to_another_contact(link: PersonalLink, supplier: Contact) -> None:
    with pytest.raises(tickets.LinkEnded):
        tickets.issue_for_contact(supplier.id, link.id)


def test_a_link_to_a_calendar_gives_no_ticket(anna: Contact) -> None:
    calendar = personal_links.calendar_of(anna)

    with pytest.raises(tickets.LinkEnded):
        tickets.issue_for_contact(anna.id, calendar.id)


PERSON_ENDS: dict[str, tuple[str, Callable[[Any], object], CloseCode]] = {
    "contact moved": ("contact", moved, CloseCode.RIGHTS_CHANGED),
    "contact deleted": ("contact", lambda row: row.delete(), CloseCode.RIGHT_WITHDRAWN),
    "another role": ("contact", lambda _: Contact.objects.update(role="vendor"), CloseCode.RIGHTS_CHANGED),
    "member deleted": ("membership", lambda row: row.delete(), CloseCode.RIGHT_WITHDRAWN),
    "member demoted": ("membership", lambda _: Membership.objects.update(role="support"), CloseCode.RIGHTS_CHANGED),
    "account closed": (
        "membership",
        lambda row: type(row.user).objects.update(is_active=False),
        CloseCode.RIGHT_WITHDRAWN,
    ),
    "key deleted": ("contact", lambda _: ApiKey.objects.all().delete(), CloseCode.RIGHT_WITHDRAWN),
    "key narrowed": ("contact", lambda _: ApiKey.objects.update(channels=["a:b:c"]), CloseCode.RIGHTS_CHANGED),
    "key without a scope": ("contact", lambda _: ApiKey.objects.update(scopes=["live:read"]), CloseCode.RIGHTS_CHANGED),
}


@pytest.mark.parametrize("end", PERSON_ENDS)
def test_rights_of_a_person_end_with_the_person_and_with_the_key(
    key: ApiKey, organization: Organization, anna: Contact, end: str
) -> None:
    kind, withdraw, code = PERSON_ENDS[end]
    person = anna if kind == "contact" else MembershipFactory(organization=organization, role="owner")
    pass_ = let_in(of_ticket(key, **{kind: person}))
    assert ends_with(pass_) is None

    withdraw(person)

    assert ends_with(pass_) == code


@pytest.mark.parametrize("end", ["contact moved", "contact deleted", "member deleted", "account closed", "key deleted"])
def test_a_ticket_whose_person_or_key_is_gone_lets_nobody_in(
    key: ApiKey, organization: Organization, anna: Contact, end: str
) -> None:
    kind, withdraw, _ = PERSON_ENDS[end]
    person = anna if kind == "contact" else MembershipFactory(organization=organization, role="owner")
    text, _ = tickets.issue(organization.id, api_key_id=key.id, **{kind: person})

    withdraw(person)

    assert not is_let_in(text, own(anna))
