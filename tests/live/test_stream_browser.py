"""The documentation's EventSource in a page of the product, in chromium: sessions, and coming back after a kill."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from django.contrib.auth.hashers import make_password
from django.db import connection
from playwright.sync_api import sync_playwright

from tests.docs.pages import examples
from tests.factories import MembershipFactory
from tests.live.browsing import ARGUMENTS, CHROMIUM
from tests.live.socket_client import sign_in
from tests.live.test_sockets import couple
from tests.live.world import World
from tests.polling import until
from wedsync.live.models import Channel

PAGE = "docs/developers/realtime-streams.md"


def last_sequence(name: str) -> int:
    try:
        return Channel.objects.get(name=name).last_sequence
    finally:
        connection.close()


def test_a_page_of_ours_follows_by_its_session_and_misses_nothing_when_the_server_is_killed(world: World) -> None:
    (example,) = [each for each in examples("js") if each.page == PAGE]
    member = MembershipFactory(organization=world.organization)
    member.user.password = make_password("a long password", hasher="pbkdf2_sha256")
    member.user.save()
    cookies = [
        {"name": item.name, "value": item.value or "", "url": world.product.base_url}
        for item in sign_in(world, member.user.username).cookies
    ]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        context = browser.new_context()
        context.add_cookies(cookies)  # type: ignore[arg-type]
        page = context.new_page()
        page.goto(f"{world.product.base_url}/livez")
        page.evaluate(
            f"name => {{ {example.code}; window.heard = []; follow([name], (told) => heard.push(told.sequence)); }}",
            couple(world),
        )

        def heard() -> list[int]:
            found: list[int] = page.evaluate("heard")
            return found

        def first() -> int:  # what came before the page followed is not told to it
            world.capacity(160)
            return next(iter(heard()), 0)

        begun = until(first, what="the first event")
        world.product.kill("web")
        world.product.start("web")
        world.capacity(170)
        with ThreadPoolExecutor() as pool:  # playwright's loop runs in this thread
            last = pool.submit(last_sequence, couple(world)).result()
        until(lambda: len(heard()) > last - begun, 20, what="the last event")
        assert heard() == list(range(begun, last + 1))
        browser.close()
