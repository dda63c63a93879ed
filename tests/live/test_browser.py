"""The pages of staff and of the sandbox, in a real browser. Its loop forbids to ask the database meanwhile."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect, sync_playwright

from tests.factories import MembershipFactory
from tests.live.world import World
from wedsync.console.overview import summary

CHROMIUM = shutil.which("chromium")
PASSWORD = "a long password"
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
PAYLOADS = [
    {"changes": [{"field": "ceremony_time", "before": "15:00", "after": "16:00"}]},
    {"changes": [{"field": "guest_count", "before": None, "after": 120}, {"field": "venue_name", "after": None}] * 3},
    {"wedding_id": "x", "capacity": 180, "previous": 150, "reason": "", "extra": {"hall": "south"}},
    {"capacity": 0, "previous": 0, "date": None, "confirmed": True, "open": False},
    {"milestone": "menu", "progress": "done", "a_b_c": "x", "four": 4, "five": 5},
]

pytestmark = pytest.mark.skipif(not CHROMIUM and "CI" not in os.environ, reason="chromium is not installed")


@pytest.fixture
def staff(world: World) -> User:
    user: User = MembershipFactory(organization=world.organization).user
    user.password = make_password(PASSWORD, hasher="pbkdf2_sha256")
    user.save()
    return user


@pytest.fixture
def page(world: World) -> Iterator[Page]:
    """An empty page; whatever it complains about, also what its policy refused, fails the test."""
    assert CHROMIUM, "chromium is missing; .ci/run installs it"
    complaints: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        page.set_default_timeout(10_000)
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        yield page
        browser.close()
    assert complaints == []


def test_staff_see_an_event_appear_as_it_stands_there_after_a_reload(world: World, staff: User, page: Page) -> None:
    page.goto(f"{world.product.base_url}/admin/")
    page.get_by_label("Username").fill(staff.username)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{world.product.base_url}/admin/")
    page.goto(world.product.base_url)
    expect(page.locator("#indicator")).to_have_text("live")

    event_id = world.capacity(180).json()["id"]

    row = page.locator(f'[data-event="{event_id}"]')
    expect(row.locator("p")).to_contain_text(f"{world.wedding.couple} · capacity 150 → 180")
    live = row.inner_text()
    page.reload()
    assert row.inner_text() == live
    assert [page.evaluate("payload => summary(payload)", payload) for payload in PAYLOADS] == [
        summary(payload) for payload in PAYLOADS
    ]


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
