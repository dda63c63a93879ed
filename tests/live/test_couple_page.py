"""The couple's page in a real browser: live, offline, without script, and for readers who do not see it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.db import connection
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.live.browsing import ARGUMENTS, CHROMIUM, NEEDS_CHROMIUM
from tests.live.world import World
from wedsync.weddings import personal_links
from wedsync.weddings.models import PersonalLink

PHONE, DESKTOP = {"width": 360, "height": 740}, {"width": 1280, "height": 900}
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}

pytestmark = NEEDS_CHROMIUM
Open = Callable[..., Page]


@pytest.fixture
def link(world: World) -> str:
    """Made before the browser starts, whose loop forbids to ask the database."""
    made = personal_links.issue(world.people["couple"])
    return f"{world.product.base_url}/couple/open/{personal_links.token_of(made.id)}/"


@pytest.fixture
def browser(link: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture
def complaints() -> Iterator[list[str]]:
    """What the page's scripts failed at, and what its policy refused."""
    found: list[str] = []
    yield found
    assert found == []


@pytest.fixture
def opened(browser: Browser, link: str, complaints: list[str]) -> Open:
    def opening(**options: Any) -> Page:
        page = browser.new_context(viewport=options.pop("viewport", PHONE), **options).new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None)
        page.goto(link)
        return page

    return opening


def is_live(page: Page) -> None:
    expect(page.locator("#indicator")).to_have_text("Live")


def keeps_a_copy(page: Page) -> None:
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.wait_for_function("caches.keys().then((names) => names.length > 0)")
    page.wait_for_function("caches.match(document.documentElement.dataset.home).then((found) => found !== undefined)")


def test_an_event_changes_the_page_and_is_said_politely(world: World, opened: Open) -> None:
    page = opened()
    is_live(page)

    world.capacity(180)

    expect(page.locator("#guests")).to_contain_text("110 of 180 places")
    expect(page.locator("#news li").first).to_contain_text("180")
    said = page.locator("#said")
    expect(said).to_contain_text("180")
    assert said.get_attribute("aria-live") == "polite"
    expect(page.locator("#since")).to_contain_text("One thing has changed.")

    page.reload()
    expect(page.locator("#since")).to_contain_text("Nothing has changed.")
    is_live(page)
    world.patch(venue_name="Schloss Orth")
    expect(page.locator("#when")).to_contain_text("Schloss Orth")


def test_an_emergency_appears_at_once_and_the_button_takes_it(world: World, opened: Open) -> None:
    page = opened()
    is_live(page)

    world.emergency()

    card = page.locator("#emergency")
    expect(card).to_contain_text("Emergency: Power outage")
    expect(card).to_contain_text("No light in the hall")
    expect(card.get_by_role("link").last).to_have_attribute("href", "tel:+12025550104")
    expect(page.locator("#alarm")).to_have_text("Emergency: Power outage")

    card.get_by_role("button", name="I'll take care of it").click()

    expect(card).to_contain_text("has been taking care of it since")
    expect(card.get_by_role("button")).to_have_count(0)


def test_offline_the_page_stands_as_it_was_and_says_so(world: World, opened: Open) -> None:
    page = opened()
    is_live(page)
    keeps_a_copy(page)
    world.capacity(190)
    expect(page.locator("#guests")).to_contain_text("110 of 190 places")
    page.wait_for_function(
        "caches.match(document.documentElement.dataset.home).then((found) => found.text())"
        ".then((text) => text.includes('of 190 places'))"
    )

    page.context.set_offline(True)

    expect(page.locator("#stored")).to_be_visible()
    page.reload()
    expect(page.locator("#stored")).to_contain_text("You are offline. This is how it stood at")
    expect(page.locator("#guests")).to_contain_text("110 of 190 places")
    assert page.evaluate("getComputedStyle(document.body).marginTop") == "0px"  # the style sheet is there too
    expect(page.get_by_role("button", name="Deutsch")).to_be_hidden()

    page.context.set_offline(False)

    expect(page.locator("#stored")).to_be_hidden()
    is_live(page)


def test_a_revoked_link_closes_the_open_page_and_takes_its_copy_along(world: World, opened: Open) -> None:
    page = opened()
    is_live(page)
    keeps_a_copy(page)

    with ThreadPoolExecutor(1) as thread:  # the browser's loop forbids to ask the database here
        assert thread.submit(revoke_links, world).result() == 1

    expect(page.locator("h1")).to_have_text("This link no longer opens your page", timeout=15_000)
    page.wait_for_function("caches.keys().then((names) => names.length === 0)")


def revoke_links(world: World) -> int:
    try:
        links = PersonalLink.objects.filter(wedding=world.wedding, purpose=PersonalLink.Purpose.PAGE)
        return personal_links.revoke(links, "staff")
    finally:
        connection.close()


def test_without_script_the_page_shows_how_it_stands(world: World, opened: Open) -> None:
    world.capacity(170)
    page = opened(java_script_enabled=False)

    expect(page.locator("#timeline")).to_contain_text("Ceremony")
    expect(page.locator("#indicator")).to_contain_text("As of")
    page.get_by_role("button", name="Français").click()
    expect(page.locator("#timeline h2")).to_have_text("La journée")
    expect(page.locator("html")).to_have_attribute("lang", "fr")


def test_large_text_fits_a_small_phone(opened: Open) -> None:
    page = opened()

    page.evaluate("document.documentElement.style.fontSize = '200%'")

    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


@pytest.mark.parametrize("emergency", [False, True], ids=["calm", "emergency"])
@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_use_it(
    world: World, opened: Open, scheme: str, viewport: dict[str, int], emergency: bool
) -> None:
    page = opened(viewport=viewport, color_scheme=scheme, reduced_motion="reduce")
    is_live(page)
    world.capacity(90)
    expect(page.locator("#guests")).to_contain_text("20 more than the venue has places for.")
    if emergency:
        world.emergency()
        expect(page.locator("#emergency")).to_be_visible()

    found = Axe().run(page, options=RULES)

    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["calendar/", "/couple/open/x/"])
def test_everybody_can_use_the_pages_beside_it(world: World, opened: Open, scheme: str, path: str) -> None:
    page = opened(color_scheme=scheme)
    page.goto(page.url + path if path[0] != "/" else world.product.base_url + path)

    found = Axe().run(page, options=RULES)

    assert found.violations_count == 0, found.generate_report()
