"""How many browsers a link opens the page in, what counts as one, and how many tickets they get."""

from __future__ import annotations

from http.cookies import SimpleCookie

import pytest
from django.conf import settings
from django.test import Client

from tests.at_once import at_once
from tests.wedsync.couple.visiting import Couple, make_couple
from wedsync.couple import sessions
from wedsync.couple.models import LinkSession
from wedsync.live.models import Ticket
from wedsync.weddings import personal_links

MORE = 3


def start(couple: Couple) -> Client:
    """A browser that followed the link, and has not asked for the page yet."""
    browser = Client()
    assert browser.get(f"{couple.home}start/{couple.token}/").status_code == 303
    return browser


def shown() -> int:
    return LinkSession.objects.exclude(shown_at=None).count()


@pytest.mark.django_db(transaction=True)
def test_of_many_browsers_at_the_same_moment_ten_get_the_page(couple: Couple) -> None:
    browsers = [start(couple) for _ in range(sessions.MOST_BROWSERS + MORE)]

    statuses = at_once(len(browsers), lambda number: browsers[number].get(couple.home).status_code)

    assert sorted(statuses) == [200] * sessions.MOST_BROWSERS + [403] * MORE
    assert shown() == sessions.MOST_BROWSERS


@pytest.mark.parametrize("path", ["", "parts/", "app.webmanifest", "calendar/", "push/"])
def test_whatever_a_browser_gets_first_makes_it_one_of_ten(couple: Couple, path: str) -> None:
    browsers = [start(couple) for _ in range(sessions.MOST_BROWSERS + 1)]

    statuses = [browser.get(couple.home + path).status_code for browser in browsers]

    assert statuses == [200] * sessions.MOST_BROWSERS + [403]


def test_the_eleventh_browser_is_offered_a_new_link_which_opens_the_page_there(couple: Couple) -> None:
    late = start(couple)
    for _ in range(sessions.MOST_BROWSERS):
        start(couple).get(couple.home)

    refused = late.get(couple.home)
    couple.link = personal_links.issue(couple.contact)

    assert refused.status_code == 403
    assert 'action="/couple/new/"' in refused.content.decode()
    assert late.get(f"/couple/open/{couple.token}/", follow=True).status_code == 200


def test_those_who_only_follow_the_link_do_not_lock_its_owner_out(
    couple: Couple, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "MOST_UNSHOWN", 4)
    first = start(couple)
    for _ in range(sessions.MOST_UNSHOWN):
        last = start(couple)

    assert LinkSession.objects.count() == sessions.MOST_UNSHOWN
    assert couple.open().status_code == 200
    assert last.get(couple.home).status_code == 200
    assert first.get(couple.home).status_code == 403


def test_asking_for_the_head_alone_opens_nothing(couple: Couple) -> None:
    scanner = Client()
    assert scanner.head(f"{couple.home}start/{couple.token}/").status_code == 303
    assert scanner.cookies == SimpleCookie()
    assert not LinkSession.objects.exists()

    browser = start(couple)
    for path in ("", "parts/", "app.webmanifest"):
        answer = browser.head(couple.home + path)
        assert (answer.status_code, answer.content) == (200, b"")

    couple.link.refresh_from_db()
    assert couple.link.opened_at is None
    assert shown() == 0


def test_a_link_gets_as_many_tickets_a_minute_as_a_key(couple: Couple, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "LIMIT_TICKETS", 3)
    couple.open()
    other = make_couple()
    other.open()

    answers = [couple.browser.post(f"{couple.home}ticket/") for _ in range(3 * settings.LIMIT_TICKETS)]

    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(refused) >= settings.LIMIT_TICKETS  # the minute may turn once while they are asked for
    assert all(1 <= int(answer["Retry-After"]) <= 60 for answer in refused)
    assert Ticket.objects.count() == len(answers) - len(refused)
    assert other.browser.post(f"{other.home}ticket/").status_code == 200
