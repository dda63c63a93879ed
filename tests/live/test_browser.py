"""The pages of staff and of the sandbox, in a real browser. Its loop forbids to ask the database meanwhile."""

from __future__ import annotations

import re
from datetime import date

import pytest
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from tests.factories import MembershipFactory
from tests.live.browsing import NEEDS_CHROMIUM
from tests.live.world import World
from wedsync.console.overview import summary

PASSWORD = "a long password"
PAYLOADS = [
    {"changes": [{"field": "ceremony_time", "before": "15:00", "after": "16:00"}]},
    {"changes": [{"field": "guest_count", "before": None, "after": 120}, {"field": "venue_name", "after": None}] * 3},
    {"wedding_id": "x", "capacity": 180, "previous": 150, "reason": "", "extra": {"hall": "south"}},
    {"capacity": 0, "previous": 0, "date": None, "confirmed": True, "open": False},
    {"milestone": "menu", "progress": "done", "a_b_c": "x", "four": 4, "five": 5},
]

SUMMARY = "async payload => (await import('/static/console/console.js')).summary(payload)"

pytestmark = NEEDS_CHROMIUM


@pytest.fixture
def staff(world: World) -> User:
    user: User = MembershipFactory(organization=world.organization).user
    user.password = make_password(PASSWORD, hasher="pbkdf2_sha256")
    user.save()
    return user


def sign_in(world: World, staff: User, page: Page) -> None:
    page.goto(f"{world.product.base_url}/admin/")
    page.get_by_label("Username").fill(staff.username)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{world.product.base_url}/admin/")


def test_staff_see_an_event_appear_as_it_stands_there_after_a_reload(world: World, staff: User, page: Page) -> None:
    sign_in(world, staff, page)
    page.goto(world.product.base_url)
    expect(page.locator("#indicator")).to_have_text("live")

    event_id = world.capacity(180).json()["id"]

    row = page.locator(f'[data-event="{event_id}"]')
    expect(row.locator("p")).to_contain_text(f"{world.wedding.couple} · capacity 150 → 180")
    live = row.inner_text()
    page.reload()
    assert row.inner_text() == live
    assert [page.evaluate(SUMMARY, payload) for payload in PAYLOADS] == [summary(payload) for payload in PAYLOADS]


def test_messages_appear_in_the_sandbox_as_a_person_would_see_them(world: World, page: Page) -> None:
    couple = world.people["couple"]
    page.goto(world.product.sandbox_url)

    world.capacity(180)

    bubbles = page.get_by_role("article", name=f"WhatsApp of {couple.phone}").locator(".bubble")
    posts = page.get_by_role("article", name=world.slack_channel, exact=True).locator(".post")
    expect(bubbles).to_contain_text("150 → 180")
    expect(posts).to_contain_text("180")

    world.emergency()

    expect(page.locator(".inbox").get_by_text(couple.email)).to_be_visible()
    expect(page.frame_locator(".mail iframe").locator("body")).to_contain_text("No light in the hall")
    expect(posts).to_have_count(2)


def in_words(day: date) -> re.Pattern[str]:
    """With the weekday; whether a comma follows it, the browser's data decide."""
    return re.compile(f"^{day:%A},? {day.day} {day:%B} {day.year}$")


def test_each_date_of_a_form_is_said_in_words_beside_its_field(world: World, staff: User, page: Page) -> None:
    sign_in(world, staff, page)
    page.goto(f"{world.product.base_url}/admin/weddings/wedding/{world.wedding.id}/change/")
    field, said = page.locator("#id_date"), page.locator("#id_date ~ output.date-in-words")
    expect(said).to_have_text(in_words(world.wedding.date))

    for typed, words in {
        "2027-06-19": in_words(date(2027, 6, 19)),
        "19/06/2027": "Write it as year-month-day, such as 2027-06-19.",
        "2027-02-30": "There is no such day.",
        "": "",
    }.items():
        field.fill(typed)
        expect(said).to_have_text(words)

    page.locator("#id_date ~ .datetimeshortcuts a:visible").first.click()
    page.locator(".calendarbox:visible").get_by_role("link", name="15", exact=True).click()
    expect(field).to_have_value(re.compile("-15$"))
    expect(said).to_have_text(in_words(date.fromisoformat(field.input_value())))
