"""Serves the page. The server renders everything; the script only fetches it again when something is new."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import jinja2
from aiohttp import web

from sandbox.page import mrkdwn
from sandbox.people.unsubscribing import one_click_url
from sandbox.services.vendors.systems import ENVELOPE
from sandbox.storage.messages import Filter, Message
from sandbox.wire import Json
from sandbox.world import World

PAGE_SIZE = 20
OVERVIEW_SIZE = 8
_OVERVIEW = ("whatsapp", "twilio", "web_push", "slack", "resend", "systems")
_HERE = Path(__file__).parent
_STATIC = {"page.css": "text/css", "page.js": "text/javascript"}
# Emails are styled inline and a srcdoc frame inherits this policy: hence inline styles. Scripts never run in the frame.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True)
class Pane:
    """One pane of the page: the messages shown, and their position among all messages."""

    key: str
    title: str
    messages: Sequence[Message]
    total: int
    page: int
    size: int

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(1, -(-self.total // self.size))

    @property
    def threads(self) -> list[tuple[str, list[Message]]]:
        """The messages by recipient, oldest first; the recipient with the newest message comes first."""
        grouped: dict[str, list[Message]] = {}
        for message in self.messages:
            grouped.setdefault(message.to, []).insert(0, message)
        return list(grouped.items())


@dataclass(frozen=True)
class Query:
    """What the address asks for."""

    service: str
    text: str
    page: int
    mail: int | None

    def link(self, **changes: str | int | None) -> str:
        """The address with some parameters changed; empty ones are left out."""
        page = self.page if self.page > 1 else None
        asked = {"service": self.service, "q": self.text, "page": page, "mail": self.mail} | changes
        return "/?" + urlencode({name: value for name, value in asked.items() if value})


class Page:
    """The page, its stylesheet and its script."""

    def __init__(self, world: World, vendors: Sequence[str]) -> None:
        self._world = world
        self._vendors = vendors
        self._panes = {
            "whatsapp": ("WhatsApp", ["whatsapp"]),
            "slack": ("Slack", ["slack"]),
            "twilio": ("SMS", ["twilio"]),
            "web_push": ("Web Push", ["web_push"]),
            "resend": ("Email", ["resend"]),
            "systems": ("Vendors' systems", list(vendors)),
        } | {slug: (slug.replace("_", " ").title(), [slug]) for slug in vendors}
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters["mrkdwn"] = mrkdwn.render
        self._templates.filters["said"] = _said
        self._templates.filters["framed"] = _framed
        self._templates.filters["one_click"] = one_click_url

    def routes(self) -> list[web.RouteDef]:
        """The page's routes."""
        return [web.get("/", self.show), web.get("/_/static/{name}", self.static)]

    async def show(self, request: web.Request) -> web.Response:
        """The page for a service (none: all), a search, a page number, an opened email."""
        query = self._query(request)
        shown = [query.service] if query.service else [*_OVERVIEW]
        panes = [self._pane(key, query, PAGE_SIZE if query.service else OVERVIEW_SIZE) for key in shown]
        text = self._templates.get_template("page.html").render(
            query=query,
            panes=panes,
            vendors=self._vendors,
            tabs=self._tabs(),
            cursor=self._world.messages.last_id(),
            mail=self._opened_mail(panes, query),
            config_error=self._world.config.error,
        )
        return web.Response(text=text, content_type="text/html", headers=_HEADERS)

    async def static(self, request: web.Request) -> web.Response:
        """The stylesheet or the script."""
        name = request.match_info["name"]
        if name not in _STATIC:
            raise web.HTTPNotFound(text="no such file")
        headers = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
        return web.Response(
            text=(_HERE / "static" / name).read_text("utf-8"), content_type=_STATIC[name], headers=headers
        )

    def _query(self, request: web.Request) -> Query:
        asked = request.query
        service = asked.get("service", "")
        page, mail = (asked.get(name, "") for name in ("page", "mail"))
        return Query(
            service=service if service in self._panes else "",
            text=asked.get("q", "").strip()[:200],
            page=min(int(page), 100_000) if page.isascii() and page.isdigit() and int(page) else 1,
            mail=int(mail) if mail.isascii() and mail.isdigit() and len(mail) < 19 else None,
        )

    def _pane(self, key: str, query: Query, size: int) -> Pane:
        title, services = self._panes[key]
        which = Filter(services, text=query.text)
        total = self._world.messages.count(which)
        page = min(query.page, max(1, -(-total // size)))
        messages = self._world.messages.newest_first(which, size, (page - 1) * size)
        return Pane(key, title, messages, total, page, size)

    def _tabs(self) -> list[tuple[str, str, int]]:
        tabs = [("", "Everything", self._world.messages.count(Filter()))]
        for key in _OVERVIEW:
            title, services = self._panes[key]
            tabs.append((key, title, self._world.messages.count(Filter(services))))
        return tabs

    def _opened_mail(self, panes: Sequence[Pane], query: Query) -> Message | None:
        mails = next((pane.messages for pane in panes if pane.key == "resend"), ())
        if query.mail is not None:
            message = self._world.messages.by_id(query.mail)
            if message is not None and message.service == "resend":
                return message
        return mails[0] if mails else None


def _framed(html: str) -> str:
    """An email's HTML for its frame: links open in a new tab, which learns nothing about this page.

    The frame may only open tabs. The first `<base>` of a document counts, so an email's own cannot override it, and a
    frame's document needs no doctype.
    """
    return '<base target="_blank"><meta name="referrer" content="no-referrer">' + html


def _said(body: Json) -> Json:
    """A body without what the other columns show; all of it if nothing else would be left."""
    if not isinstance(body, dict) or "type" not in body:
        return body
    return {name: value for name, value in body.items() if name not in ENVELOPE} or body
