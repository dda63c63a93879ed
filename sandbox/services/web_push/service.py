"""`POST /send/{token}`: takes a message for a browser, as RFC 8030 describes it, and shows it as the browser would."""

from __future__ import annotations

import json
import re
import secrets
import time

from sandbox.config import SandboxConfig, WebPushConfig
from sandbox.services.web_push import subscriptions, vapid
from sandbox.services.web_push.encryption import NotReadable, decoded, decrypt
from sandbox.services.web_push.subscriptions import Browser
from sandbox.storage.messages import Draft
from sandbox.wire import Call, Json, Reply, json_reply
from sandbox.world import World

URGENCIES = frozenset({"very-low", "low", "normal", "high"})
DECLARATIVE = 8030
SHOWN = ("title", "body", "navigate", "tag", "lang")
_PATH = re.compile(r"/send/(?P<token>[A-Za-z0-9_-]{1,200})")
_TOPIC = re.compile(r"[A-Za-z0-9_-]{1,32}")
_WORDS = {
    400: "bad request", 401: "unauthorized", 403: "forbidden", 404: "no such subscription",
    410: "the subscription has ended", 413: "the payload is too large", 429: "too many messages", 500: "outage",
}  # fmt: skip


class Refusal(Exception):
    """An answer other than 201."""

    def __init__(self, status: int, reason: str = "") -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class WebPush:
    """The push service of every browser."""

    slug = subscriptions.SLUG

    def __init__(self, world: World) -> None:
        self._world = world

    def exists(self, config: SandboxConfig) -> bool:
        """Whether it is configured."""
        return config.web_push is not None

    def failure(self, status: int | None, code: int | str | None) -> Reply:
        """A fault's answer; push services have no codes of their own."""
        return _refused(status or 503)

    def answer(self, call: Call) -> Reply:
        """Take a message or refuse it."""
        config = self._world.config.current().web_push
        assert config is not None
        try:
            return self._take(call, config)
        except Refusal as refusal:
            return _refused(refusal.status, refusal.reason)

    def _take(self, call: Call, config: WebPushConfig) -> Reply:
        asked = _PATH.fullmatch(call.path)
        browser = subscriptions.find(self._world, asked["token"]) if asked else None
        if browser is None:
            raise Refusal(404)
        if browser.ended:
            raise Refusal(410)
        if call.method != "POST":
            raise Refusal(405)
        rate = config.rate_per_second
        if not self._world.buckets.take((self.slug, browser.token), per_second=rate, burst=max(1, int(rate))).allowed:
            raise Refusal(429)
        origin = f"http://{call.headers.get('host', '')}"
        _check_sender(call, browser, origin)
        view = _check_headers(call, config.largest)
        return self._show(call, browser, view, origin)

    def _show(self, call: Call, browser: Browser, view: dict[str, Json], origin: str) -> Reply:
        """A browser drops what it cannot read; here the page says so."""
        message_id = secrets.token_hex(16)
        payload: Json = {}
        try:
            text = decrypt(call.body, browser.key, decoded(browser.auth)).decode("utf-8")
            view["bytes"] = len(text.encode())
            payload = json.loads(text)
            shown = _shown(payload)
        except (NotReadable, ValueError, TypeError, KeyError) as error:
            shown, view["unreadable"] = "", str(error) or type(error).__name__
        notification = payload.get("notification", {}) if isinstance(payload, dict) else {}
        view |= {name: notification[name] for name in SHOWN if name in notification}
        draft = Draft(message_id, self.slug, browser.token[:8], browser.name, shown, payload, view=view)
        self._world.messages.add(draft, call)
        return Reply(201, headers={"Location": f"{origin}/{self.slug}/message/{message_id}", "TTL": str(view["ttl"])})


def _check_sender(call: Call, browser: Browser, origin: str) -> None:
    header = call.headers.get("authorization", "")
    try:
        vapid.check(header, origin=origin, server_key=browser.server_key, now=time.time())
    except vapid.VapidRefused as refused:
        raise Refusal(refused.status, str(refused)) from refused


def _check_headers(call: Call, largest: int) -> dict[str, Json]:
    ttl, topic = call.headers.get("ttl", ""), call.headers.get("topic", "")
    urgency = call.headers.get("urgency", "normal")
    if not (ttl.isascii() and ttl.isdigit() and len(ttl) < 10):
        raise Refusal(400, "TTL must be a number of seconds")
    if urgency not in URGENCIES:
        raise Refusal(400, "Urgency must be very-low, low, normal or high")
    if topic and not _TOPIC.fullmatch(topic):
        raise Refusal(400, "Topic must be at most 32 URL-safe characters")
    if call.headers.get("content-encoding") != "aes128gcm":
        raise Refusal(400, "Content-Encoding must be aes128gcm")
    if len(call.body) > largest:
        raise Refusal(413, f"at most {largest} bytes")
    return {"ttl": int(ttl), "urgency": urgency, "topic": topic}


def _shown(payload: Json) -> str:
    """The text of a declarative message, which the service worker shows in the same way.

    Raises:
        ValueError, KeyError, TypeError: a part that browsers require is missing.
    """
    if payload["web_push"] != DECLARATIVE:
        raise ValueError("web_push must be 8030")
    notification = payload["notification"]
    if not notification["title"] or not str(notification["navigate"]).startswith(("https://", "http://")):
        raise ValueError("title and navigate are required")
    return "\n".join([notification["title"], *filter(None, [notification.get("body", "")])])


def _refused(status: int, reason: str = "") -> Reply:
    body = {"code": status, "message": reason or _WORDS.get(status, "refused")}
    return json_reply(status, body, {"Retry-After": "1"} if status == 429 else {})
