"""The sandbox's page in a real browser: a person follows a mail's link and unsubscribes."""

from __future__ import annotations

import os
import shutil

import pytest
import requests
from playwright.sync_api import expect, sync_playwright

from tests.sandbox.sandbox_peer import Peer, email
from tests.sandbox.sandbox_product import Product

CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(not CHROMIUM and "CI" not in os.environ, reason="chromium is not installed")


def test_a_mails_link_opens_in_a_tab_and_one_click_unsubscribes(calling_peer: Peer, product: Product) -> None:
    base = f"http://127.0.0.1:{product.server.server_port}"
    headers = {"List-Unsubscribe": f"<{base}/off/1>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    html = f'<script>parent.document.title = "x"</script><a href="{calling_peer.url}/_/healthz">Acknowledge</a>'
    calling_peer.resend(email(html=html, headers=headers))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 360, "height": 800})
        page.goto(f"{calling_peer.url}/?service=resend")
        with page.expect_popup() as opened:
            page.frame_locator("iframe").get_by_text("Acknowledge").click()
        expect(opened.value.locator("body")).to_contain_text("config_error")
        page.get_by_role("button", name="Unsubscribe").click()
        expect(page.locator("#notice")).to_contain_text("accepted it (200)")
        assert page.title() == "WedSync sandbox"
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        if "SANDBOX_SHOT" in os.environ:
            page.screenshot(path=os.environ["SANDBOX_SHOT"])
        browser.close()
    assert product.at("/off/1", 1)[0][1] == b"List-Unsubscribe=One-Click"


def test_an_unsubscribe_address_elsewhere_is_not_called(calling_peer: Peer, product: Product) -> None:
    headers = {"List-Unsubscribe": "<http://127.0.0.1:9/off>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    calling_peer.resend(email(headers=headers))
    press = {"message": calling_peer.messages("resend")[0]["id"]}
    answer = requests.post(f"{calling_peer.url}/_/unsubscribes", json=press, timeout=10)
    assert (answer.status_code, "elsewhere" in answer.json()["error"]) == (400, True)
