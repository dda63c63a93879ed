"""Staff see who opened which link, and revoke one or all of a wedding's."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from tests.factories import PersonalLinkFactory
from tests.wedsync.admin.conftest import House, Role, page
from tests.wedsync.couple.visiting import PHONE
from wedsync.weddings import personal_links
from wedsync.weddings.models import Contact, PersonalLink, Wedding

SignIn = Callable[..., Client]


@pytest.fixture
def contact(ours: House) -> Contact:
    found: Contact = ours.rows[Contact]
    Contact.objects.filter(pk=found.pk).update(role=Contact.Role.COUPLE)
    found.refresh_from_db()
    return found


def opened(contact: Contact) -> tuple[PersonalLink, Client]:
    link = personal_links.issue(contact)
    browser = Client(headers={"User-Agent": PHONE})
    assert browser.get(f"/couple/open/{personal_links.token_of(link.id)}/", follow=True).status_code == 200
    return link, browser


def test_staff_see_who_opened_a_link_in_which_browser(ours: House, contact: Contact, sign_in: SignIn) -> None:
    link, _ = opened(contact)

    shown = sign_in(ours, role=Role.PLANNER).get(page(PersonalLink, "change", link.pk)).content.decode()

    assert contact.name in shown
    assert "iPhone, Safari" in shown
    assert personal_links.token_of(link.id) not in shown
    assert link.token_hash not in shown


@pytest.mark.parametrize("role", Role)
def test_every_role_can_revoke_a_link(ours: House, contact: Contact, sign_in: SignIn, role: Role) -> None:
    link, browser = opened(contact)
    client = sign_in(ours, role=role)
    path = f"{page(PersonalLink, 'change', link.pk).removesuffix('change/')}revoke/"

    assert "Shall this link stop working?" in client.get(path).content.decode()
    assert browser.get(f"/couple/{contact.wedding_id}/").status_code == 200
    client.post(path)

    link.refresh_from_db()
    assert link.revoked_by
    assert browser.get(f"/couple/{contact.wedding_id}/").status_code == 403


def test_all_links_of_a_wedding_are_revoked_and_no_others(ours: House, contact: Contact, sign_in: SignIn) -> None:
    links = [opened(contact)[0], personal_links.calendar_of(contact)]
    other = PersonalLinkFactory(organization=ours.organization)
    client = sign_in(ours, role=Role.PLANNER)
    path = f"{page(Wedding, 'change', contact.wedding_id).removesuffix('change/')}revoke-links/"

    assert "Revoke all links of" in client.get(path).content.decode()
    client.post(path)

    assert all(PersonalLink.objects.get(pk=link.pk).revoked_at for link in links)
    other.refresh_from_db()
    assert other.revoked_at is None
    assert LogEntry.objects.filter(object_id=str(contact.wedding_id), change_message__startswith="Revoked").exists()


def test_nobody_revokes_links_of_another_organization(ours: House, theirs: House, sign_in: SignIn) -> None:
    link, wedding = theirs.rows[PersonalLink], theirs.rows[Wedding]
    client = sign_in(ours)

    paths = [
        f"{page(PersonalLink, 'change', link.pk).removesuffix('change/')}revoke/",
        f"{page(Wedding, 'change', wedding.pk).removesuffix('change/')}revoke-links/",
        f"{page(Contact, 'change', theirs.rows[Contact].pk).removesuffix('change/')}make-link/",
    ]

    assert [client.post(path).status_code for path in paths] == [404, 404, 404]
    link.refresh_from_db()
    assert link.revoked_at is None


def test_a_planner_makes_a_link_that_is_shown_once(ours: House, contact: Contact, sign_in: SignIn) -> None:
    client = sign_in(ours, role=Role.PLANNER)
    path = f"{page(Contact, 'change', contact.pk).removesuffix('change/')}make-link/"

    assert "Make the link" in client.get(path).content.decode()
    answer = client.post(path)

    link = PersonalLink.objects.filter(contact=contact, requested=False).latest("created_at")
    token = personal_links.token_of(link.id)
    assert token in answer.content.decode()
    assert Client().get(reverse("couple-open", args=[token])).status_code == 303


def test_only_the_couple_get_a_link(ours: House, contact: Contact, sign_in: SignIn) -> None:
    Contact.objects.filter(pk=contact.pk).update(role=Contact.Role.VENDOR)
    before = PersonalLink.objects.count()

    sign_in(ours).post(f"{page(Contact, 'change', contact.pk).removesuffix('change/')}make-link/")

    assert PersonalLink.objects.count() == before
