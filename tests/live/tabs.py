"""Tabs of one chromium that follow a channel by the JavaScript client, behind a network that a test may spoil."""

import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import BrowserContext, Page, sync_playwright

from tests.live.browsing import ARGUMENTS, CHROMIUM
from tests.live.networks import Network
from tests.live.world import World
from tests.polling import until

_PAGE = """<!doctype html><title>test</title><script type="module">
import { WedSyncLive } from "/static/live/wedsync-live.js";
window.shown = [];
window.states = [];
const tickets = { method: "POST", headers: { Authorization: "Bearer %(key)s", "Content-Type": "application/json" } };
const body = JSON.stringify({ channels: ["%(channel)s"] });
const ticket = async () => (await fetch("/api/channels/tickets/", { ...tickets, body })).json();
const url = "/ws/channels/";
window.live = new WedSyncLive("%(key)s" ? { url, ticket } : { url: url + "?organization=%(organization)s" });
window.following = live.follow(["%(channel)s"], {
  onEvent: (event) => shown.push(event.payload.capacity),
  onState: (state) => states.push(state),
});
</script>"""

_WORKER = """
import { WedSyncLive } from "/static/live/wedsync-live.js";
const live = new WedSyncLive({ url: "/ws/channels/?organization=%(organization)s" });
live.follow(["%(channel)s"], {
  onEvent: (event) => postMessage({ shown: event.payload.capacity }),
  onState: (state) => postMessage({ state }),
});
"""
_PAGE_OF_WORKER = """<!doctype html><title>test</title><script>
window.shown = [];
window.states = [];
new Worker("/worker-of-a-test.js", { type: "module" }).onmessage = ({ data }) =>
  data.state ? states.push(data.state) : shown.push(data.shown);
</script>"""


def session_of(user: User) -> str:
    """A session's cookie; taken before playwright's loop forbids to ask the database."""
    client = Client()
    client.force_login(user)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


class Browser:
    """One person's browser."""

    def __init__(self, context: BrowserContext, network: Network, world: World) -> None:
        self._context, self._network, self._world = context, network, world

    def tab(self, *, channel: str = "", key: str = "") -> "Tab":
        """A page that follows the couple's channel by the session, or another one by tickets for nothing else."""
        channel = channel or f"couple:dashboard:{self._world.wedding.id}"
        said = {"organization": quote(self._world.organization.slug), "channel": channel, "key": key}
        path = f"/a-page-of-a-test/{channel}"
        self._network.pages[path] = _PAGE % said
        page = self._context.new_page()
        page.goto(f"http://127.0.0.1:{self._network.port}{path}")
        return Tab(page)

    def tab_with_worker(self) -> "Tab":
        """A page whose worker follows the couple's channel."""
        channel = f"couple:dashboard:{self._world.wedding.id}"
        said = {"organization": quote(self._world.organization.slug), "channel": channel}
        self._network.pages |= {"/worker-of-a-test.js": _WORKER % said, "/page-of-a-worker": _PAGE_OF_WORKER}
        page = self._context.new_page()
        page.goto(f"http://127.0.0.1:{self._network.port}/page-of-a-worker")
        return Tab(page)

    def tab_of_another_site(self) -> None:
        """What was looked at before is hidden then."""
        self._context.new_page().bring_to_front()

    def go_offline(self) -> None:
        self._network.go_away()
        self._context.set_offline(True)

    def go_online(self) -> None:
        self._network.come_back()
        self._context.set_offline(False)


class Tab:
    """One of its tabs. What it says is asked from outside, since timers of hidden tabs are slow."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self._devtools = page.context.new_cdp_session(page)

    @property
    def shown(self) -> list[int]:
        found: list[int] = self.page.evaluate("window.shown ?? []")
        return found

    @property
    def state(self) -> str:
        return str(self.page.evaluate("window.states?.at(-1) ?? ''"))

    @property
    def leads(self) -> bool:
        """Whether it holds the connection of all tabs."""
        return bool(self.page.evaluate("!!live.hub.line"))

    def look_at(self) -> None:
        """Bring it to the front; the others are hidden then."""
        self.page.bring_to_front()
        self.until(lambda: self.page.evaluate("document.visibilityState") == "visible")

    def freeze(self) -> None:
        """As a browser does with tabs that nobody has looked at for a while; it must be hidden."""
        assert self.page.evaluate("document.visibilityState") == "hidden"
        self._devtools.send("Page.setWebLifecycleState", {"state": "frozen"})

    def thaw(self) -> None:
        self._devtools.send("Page.setWebLifecycleState", {"state": "active"})

    def becomes(self, state: str, seconds: float = 10) -> None:
        self.until(lambda: self.state == state, seconds)

    def shows(self, capacities: list[int], seconds: float = 10) -> None:
        """Waits until it has shown these, and nothing else."""
        self.until(lambda: len(self.shown) >= len(capacities), seconds)
        assert self.shown == capacities

    def until(self, look: Callable[[], object], seconds: float = 10) -> None:
        """Polls while the browser's events are handled."""
        ends = time.monotonic() + seconds
        while not look():
            assert time.monotonic() < ends, f"not within {seconds} s: {self.state}, {self.shown}"
            self.page.wait_for_timeout(50)


@contextmanager
def browser(world: World, network: Network, cookie: str) -> Iterator[Browser]:
    """Without playwright's pretence that every tab is looked at."""
    assert CHROMIUM, "chromium is missing; .ci/run installs it"
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile,
        subprocess.Popen(
            [CHROMIUM, *ARGUMENTS, "--headless", "--remote-debugging-port=0", f"--user-data-dir={profile}"],
            stderr=subprocess.DEVNULL,
        ) as process,
        sync_playwright() as playwright,
    ):
        try:
            said = Path(profile) / "DevToolsActivePort"
            port, path = until(lambda: said.exists() and said.read_text().split(), 30, what="chromium")
            connected = playwright.chromium.connect_over_cdp(f"ws://127.0.0.1:{port}{path}", no_defaults=True)
            (context,) = connected.contexts
            context.add_cookies(
                [{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": world.product.base_url}]
            )
            yield Browser(context, network, world)
            connected.close()
        finally:
            process.terminate()
