"""Every kind of page in a real browser: what its policy refuses is an error on its console, and fails the test."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from django.contrib.auth.hashers import make_password
from playwright.sync_api import Page, expect

from integrations.models import Delivery
from notifications import links
from tests.factories import MembershipFactory
from tests.live.browsing import NEEDS_CHROMIUM
from tests.live.test_browser import PASSWORD
from tests.live.world import World
from tests.polling import until

pytestmark = NEEDS_CHROMIUM


@pytest.fixture
def operator(world: World) -> str:
    user = MembershipFactory(organization=world.organization).user
    user.password = make_password(PASSWORD, hasher="pbkdf2_sha256")
    user.is_superuser = True
    user.save()
    username: str = user.username
    return username


def sign_in(page: Page, world: World, username: str) -> None:
    page.goto(f"{world.product.base_url}/admin/")
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{world.product.base_url}/admin/")


def foreign(page: Page, world: World) -> list[str]:
    """Whatever the page asked of another origin."""
    own = urlsplit(world.product.base_url).netloc
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if urlsplit(request.url).netloc != own else None)
    return asked


def test_pages_of_the_admin_work_within_their_policy(world: World, operator: str, page: Page) -> None:
    elsewhere = foreign(page, world)
    base = world.product.base_url
    system = next(iter(world.systems.values()))
    paths = [
        "weddings/wedding/",
        f"weddings/wedding/{world.wedding.id}/change/",
        "weddings/wedding/add/",
        "weddings/contact/add/",
        f"weddings/organization/{world.organization.id}/change/",
        "weddings/apikey/add/",
        "integrations/system/",
        f"integrations/system/{system.id}/change/",
        "integrations/route/add/",
        "integrations/route/dry-run/",
        "integrations/delivery/",
        "live/channelevent/",
        "notifications/messagetemplate/add/",
        "notifications/incident/",
        "webhooks/receipt/",
        "auth/user/add/",
        "password_change/",
    ]
    sign_in(page, world, operator)
    for path in paths:
        answer = page.goto(f"{base}/admin/{path}")
        assert answer is not None
        assert answer.status in {200, 404}, path
        page.wait_for_load_state("networkidle")

    page.goto(f"{base}/admin/integrations/system/")
    page.keyboard.press("Control+k")
    page.wait_for_load_state("networkidle")
    assert [url for url in elsewhere if not url.startswith(("data:", "blob:"))] == []


@pytest.fixture
def mailed(world: World) -> dict[str, str]:
    """The links of an emergency's mail."""
    assert world.emergency().ok
    mail = until(
        lambda: Delivery.objects.filter(event__wedding=world.wedding, channel="email", contact__isnull=False).first(),
        20,
        what="an emergency's mail",
    )
    return {
        "acknowledge": f"/acknowledge/{links.acknowledge_token(mail.id)}/",
        "unsubscribe": f"/unsubscribe/{links.unsubscribe_token(mail.id)}/",
    }


@pytest.mark.parametrize("kind", ["acknowledge", "unsubscribe"])
def test_pages_behind_a_mails_links_work_within_their_policy(
    world: World,
    mailed: dict[str, str],
    page: Page,
    kind: str,
) -> None:
    elsewhere = foreign(page, world)

    page.goto(f"{world.product.base_url}{mailed[kind]}")
    background = page.locator("body").evaluate("body => getComputedStyle(body).backgroundColor")
    page.get_by_role("button").first.click()
    page.wait_for_load_state("networkidle")

    assert background != "rgba(0, 0, 0, 0)", "its style was loaded"
    assert elsewhere == []


@pytest.mark.parametrize("path", ["/", "/api/docs/", "/admin/login/"])
def test_other_pages_work_within_their_policy(
    world: World,
    operator: str,
    page: Page,
    path: str,
) -> None:
    elsewhere = foreign(page, world)
    if path == "/":
        sign_in(page, world, operator)

    page.goto(f"{world.product.base_url}{path}")
    page.wait_for_load_state("networkidle")

    if path == "/api/docs/":
        expect(page.locator(".opblock").first).to_be_visible(timeout=60_000)
    assert [url for url in elsewhere if not url.startswith(("data:", "blob:", "ws"))] == []
