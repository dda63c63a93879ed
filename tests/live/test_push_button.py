"""The button for notifications on the couple's page, in a real browser; the browser's push service is the sandbox's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect, sync_playwright

from integrations.models import Route
from notifications.channels.web_push import keys
from tests.factories import SystemFactory
from tests.live.browsing import ARGUMENTS, CHROMIUM, NEEDS_CHROMIUM
from tests.live.test_couple_page import PHONE, RULES
from tests.live.world import World
from tests.polling import until
from wedsync.weddings import personal_links
from wedsync.weddings.models import Device

pytestmark = NEEDS_CHROMIUM
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1 Version/19.0 Mobile Safari/604.1"
DOUBLE = """
(() => {
  const given = GIVEN;
  let taken = null;
  const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
  PushManager.prototype.getSubscription = async () => taken;
  PushManager.prototype.subscribe = async ({ applicationServerKey }) =>
    (taken = {
      endpoint: given.endpoint,
      options: { applicationServerKey: bytes(applicationServerKey).buffer },
      toJSON: () => given,
      unsubscribe: async () => ((taken = null), true),
    });
})();
"""
"""Chromium's own push service is Google's, which tests do not reach; all else is the browser's."""


@pytest.fixture
def link(world: World) -> str:
    """Of a couple whose organization sends notifications."""
    SystemFactory(organization=world.organization, kind="web_push", base_url="https://hub.example", credentials={})
    routes = Route.objects.filter(organization=world.organization, name="Couple: capacity by WhatsApp")
    routes.update(channels=["web_push"])
    made = personal_links.issue(world.people["couple"])
    return f"{world.product.base_url}/couple/open/{personal_links.token_of(made.id)}/"


@pytest.fixture
def subscription(world: World) -> dict[str, Any]:
    body = {"name": world.organization.slug, "key": keys.public_key()}
    given: dict[str, Any] = requests.post(f"{world.product.sandbox_url}/_/subscriptions", json=body, timeout=10).json()
    return given


@pytest.fixture
def context(link: str, subscription: dict[str, Any]) -> Iterator[BrowserContext]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        made = started.new_context(viewport=PHONE)
        made.set_default_timeout(15_000)
        yield made
        started.close()


def pushed(world: World) -> list[dict[str, Any]]:
    return [each for each in world.product.messages("web_push") if each["to"] == world.organization.slug]


def deliver(page: Page, origin: str, payload: str) -> None:
    """Hand a message to the service worker as the browser does when its push service brings one."""
    session = page.context.new_cdp_session(page)
    found: list[dict[str, Any]] = []
    session.on("ServiceWorker.workerRegistrationUpdated", lambda told: found.extend(told["registrations"]))
    session.send("ServiceWorker.enable")
    until(lambda: page.evaluate("1") and found, 15, what="the service worker's registration")
    told = {"origin": origin, "registrationId": found[0]["registrationId"], "data": payload}
    session.send("ServiceWorker.deliverPushMessage", told)


def test_a_press_brings_notifications_and_another_ends_them(
    world: World, link: str, subscription: dict[str, Any], context: BrowserContext
) -> None:
    origin = world.product.base_url
    context.grant_permissions(["notifications"], origin=origin)
    context.add_init_script(DOUBLE.replace("GIVEN", json.dumps(subscription)))
    page = context.new_page()
    page.goto(link)
    button = page.locator("#push-button")
    expect(button).to_have_text("Turn on notifications")

    button.click()

    expect(button).to_have_text("Turn off notifications")
    assert Axe().run(page, options=RULES).violations_count == 0
    world.capacity(120)
    until(lambda: len(pushed(world)) == 1, 15, what="the notification")
    (message,) = pushed(world)
    assert "/couple/open/" in message["view"]["navigate"]
    deliver(page, origin, json.dumps(message["body"]))
    shown = (
        "navigator.serviceWorker.ready.then((it) => it.getNotifications()).then((all) => all.map((each) => each.title))"
    )
    until(lambda: page.evaluate(shown) == [message["view"]["title"]], 15, what="its being shown")

    button.click()

    expect(button).to_have_text("Turn on notifications")
    world.capacity(130)
    until(lambda: "130" in page.locator("#parts").inner_text(), 15, what="the next event on the page")
    assert len(pushed(world)) == 1


def test_an_iphone_is_told_to_use_the_home_screen_first(world: World, link: str, context: BrowserContext) -> None:
    assert context.browser is not None
    page = context.browser.new_context(viewport=PHONE, user_agent=IPHONE).new_page()
    page.goto(link)

    expect(page.locator("#push-text")).to_contain_text("add this page to the home screen")
    expect(page.locator("#push-button")).to_be_hidden()
    assert Axe().run(page, options=RULES).violations_count == 0


def test_a_browser_that_forbids_notifications_is_told_so(world: World, link: str, context: BrowserContext) -> None:
    context.add_init_script("Object.defineProperty(Notification, 'permission', { get: () => 'denied' });")
    page = context.new_page()
    page.goto(link)

    expect(page.locator("#push-text")).to_contain_text("does not allow notifications")
    expect(page.locator("#push-button")).to_be_hidden()


def test_what_was_ended_is_ended_in_the_rows_too(world: World, link: str, subscription: dict[str, Any]) -> None:
    """Without a browser, whose loop forbids to ask the database."""
    with requests.Session() as browser:
        home = browser.get(link, timeout=10).url
        headers = {"Origin": world.product.base_url, "Content-Type": "application/json"}
        taken = browser.post(
            f"{home}push/", data=json.dumps({"subscription": subscription}), headers=headers, timeout=10
        )
        assert taken.status_code == 204, taken.text
        mine = Device.objects.filter(contact=world.people["couple"])
        assert mine.count() == 1

        browser.delete(
            f"{home}push/", data=json.dumps({"endpoint": subscription["endpoint"]}), headers=headers, timeout=10
        )

        assert mine.count() == 0
