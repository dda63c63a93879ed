"""What a link opens, for whom, and for how long."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from tests.wedsync.couple.visiting import Couple, make_couple, text_of
from wedsync.couple import sessions
from wedsync.couple.models import LinkSession
from wedsync.weddings import personal_links
from wedsync.weddings.models import Contact, PersonalLink

CLOSED = "This link no longer opens your page"


def change(link: PersonalLink, **fields: object) -> None:
    PersonalLink.objects.filter(id=link.id).update(**fields)


def test_a_link_opens_the_page_and_leaves_the_address_bar(couple: Couple) -> None:
    first = couple.browser.get(f"/couple/open/{couple.token}/")
    second = couple.browser.get(first["Location"])

    assert (first.status_code, second.status_code) == (303, 303)
    assert second["Location"] == couple.home
    assert couple.token not in couple.page().content.decode()
    for answer in (first, second):
        assert answer["Referrer-Policy"] == "no-referrer"
        assert answer["Cache-Control"] == "no-store"


def test_the_cookie_is_bound_to_the_weddings_page_and_hidden_from_scripts(couple: Couple) -> None:
    couple.open()

    cookie = couple.browser.cookies[sessions.COOKIE]
    assert cookie["path"] == couple.home
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert bool(cookie["secure"]) == settings.SECURE
    assert cookie["max-age"] == pytest.approx((couple.link.expires_at - timezone.now()).total_seconds(), abs=60)


def test_neither_the_token_nor_the_cookies_secret_is_stored(couple: Couple) -> None:
    couple.open()

    session = LinkSession.objects.get()
    secret = couple.browser.cookies[sessions.COOKIE].value
    stored = [*vars(couple.link).values(), *vars(session).values()]
    assert not any(couple.token in str(value) or secret in str(value) for value in stored)


def test_a_link_opened_again_in_the_same_browser_is_one_browser(couple: Couple) -> None:
    for _ in range(sessions.MOST_BROWSERS + 1):
        assert couple.open().status_code == 200

    session = LinkSession.objects.get()
    assert session.device == "iPhone, Safari"
    assert session.shown_at is not None


def test_a_scanner_that_follows_the_link_does_not_open_it(couple: Couple) -> None:
    for _ in range(sessions.MOST_BROWSERS + 1):
        scanner = Client()
        scanner.get(scanner.get(f"/couple/open/{couple.token}/")["Location"])

    couple.link.refresh_from_db()
    assert couple.link.opened_at is None
    assert couple.open().status_code == 200
    couple.link.refresh_from_db()
    assert couple.link.opened_at is not None


def revoked(couple: Couple) -> None:
    personal_links.revoke(PersonalLink.objects.filter(id=couple.link.id), "staff")


def old(couple: Couple) -> None:
    change(couple.link, opens_until=timezone.now() - timedelta(seconds=1))


def expired(couple: Couple) -> None:
    change(couple.link, expires_at=timezone.now() - timedelta(seconds=1))


def used_up(couple: Couple) -> None:
    now = timezone.now()
    for number in range(sessions.MOST_BROWSERS):
        LinkSession.objects.create(link=couple.link, secret_hash=str(number), shown_at=now)


def of_a_calendar(couple: Couple) -> None:
    couple.link = personal_links.calendar_of(couple.contact)


def deleted(couple: Couple) -> None:
    PersonalLink.objects.filter(id=couple.link.id).delete()


def of_another_role(couple: Couple) -> None:
    Contact.objects.filter(id=couple.contact.id).update(role=Contact.Role.VENDOR)


ENDS = [revoked, old, expired, used_up, of_a_calendar, deleted, of_another_role]


@pytest.mark.parametrize("end", ENDS)
def test_a_link_that_may_not_be_used_offers_a_new_one(couple: Couple, end: Callable[[Couple], None]) -> None:
    end(couple)

    for path in (f"/couple/open/{couple.token}/", f"{couple.home}start/{couple.token}/"):
        answer = couple.browser.get(path, follow=True)
        assert answer.status_code == 410
        assert CLOSED in text_of(answer)
        assert 'action="/couple/new/"' in answer.content.decode()
        assert sessions.COOKIE not in answer.cookies


@pytest.mark.parametrize("end", [revoked, expired, deleted, of_another_role])
def test_a_page_that_is_open_ends_with_its_link(couple: Couple, end: Callable[[Couple], None]) -> None:
    assert couple.open().status_code == 200

    end(couple)

    for path in ("", "parts/", "calendar/", "app.webmanifest"):
        answer = couple.browser.get(couple.home + path)
        assert answer.status_code == 403
        assert couple.wedding.couple not in answer.content.decode()
    for path in ("ticket/", "acknowledge/", "seen/", "language/"):
        assert couple.browser.post(couple.home + path).status_code == 403


@pytest.mark.parametrize("end", [old, used_up])
def test_a_page_that_is_open_outlives_the_time_in_which_its_link_opens_others(
    couple: Couple, end: Callable[[Couple], None]
) -> None:
    couple.open()

    end(couple)

    assert couple.open().status_code == 200


def test_a_damaged_token_looks_like_one_that_has_ended(couple: Couple) -> None:
    couple.link.refresh_from_db()
    whole = couple.token
    for token in ("x", "A" * 43, whole[:-1], f"{whole}A", whole[:-1] + ("A" if whole[-1] != "A" else "B"), "ä" * 43):
        answer = couple.browser.get(f"/couple/open/{token}/")
        assert answer.status_code == 410
        assert CLOSED in text_of(answer)


def test_a_stretched_cookie_does_not_outlive_its_link(couple: Couple) -> None:
    couple.open()
    couple.browser.cookies[sessions.COOKIE]["max-age"] = 10**9

    change(couple.link, expires_at=timezone.now() - timedelta(seconds=1))

    assert couple.page().status_code == 403


def test_a_cookie_of_another_wedding_opens_nothing(couple: Couple) -> None:
    other = make_couple()
    couple.open()

    assert couple.browser.get(other.home).status_code == 403


def test_a_token_starts_only_at_its_own_wedding(couple: Couple) -> None:
    other = make_couple()

    answer = couple.browser.get(f"{other.home}start/{couple.token}/")

    assert answer.status_code == 410
    assert sessions.COOKIE not in answer.cookies


def test_a_contact_who_was_moved_to_another_wedding_loses_the_page(couple: Couple) -> None:
    couple.open()

    couple.contact.wedding = make_couple(organization=couple.wedding.organization).wedding
    couple.contact.save()

    assert couple.browser.get(f"/couple/{couple.link.wedding_id}/").status_code == 403


def test_the_app_on_a_home_screen_starts_with_the_link(couple: Couple) -> None:
    couple.open()
    manifest = couple.browser.get(f"{couple.home}app.webmanifest").json()

    app = Client()  # with cookies of its own
    answer = app.get(manifest["start_url"], follow=True)

    assert manifest["scope"] == manifest["id"] == couple.home
    assert answer.status_code == 200
    assert answer.request["PATH_INFO"] == couple.home
