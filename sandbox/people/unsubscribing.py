"""Does what a mail program does when its user presses "Unsubscribe": RFC 8058's one-click POST."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from sandbox.callbacks.sender import Callback
from sandbox.config import SandboxConfig
from sandbox.storage.messages import Message
from sandbox.wire import Json
from sandbox.world import World

_ONE_CLICK = "List-Unsubscribe=One-Click"
_ANGLE = re.compile(r"<\s*(https?://[^<>\s]+)\s*>", re.IGNORECASE)
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class UnsubscribeRefused(ValueError):
    """The email has no one-click unsubscribe address that the sandbox would call; the text says why."""


class Unsubscribing:
    """Presses the mail program's button."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def press(self, asked: dict[str, Json]) -> dict[str, Json]:
        """`{"message": id}`; returns what the product answered as `callback_status` (null: no answer).

        Raises:
            UnsubscribeRefused: if the email has no such address, or it is not the product's on this machine.
        """
        number = asked.get("message")
        message = self._world.messages.by_id(number) if isinstance(number, int) else None
        if message is None or message.service != "resend":
            raise UnsubscribeRefused("message: no email has this id")
        url = one_click_url(message)
        if url is None:
            raise UnsubscribeRefused("This email has no one-click unsubscribe: it needs both List-Unsubscribe headers.")
        if _door(url) is None or _door(url) not in _doors(self._world.config.current()):
            raise UnsubscribeRefused("The sandbox calls only the product on this machine; this address is elsewhere.")
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        callback = Callback(url, _ONE_CLICK.encode(), lambda: form)
        return {"callback_status": await self._world.callbacks.send_once(callback)}


def one_click_url(message: Message) -> str | None:
    """The address in an email's headers for one-click unsubscribing, if there is one.

    https://www.rfc-editor.org/rfc/rfc8058#section-3.1
    """
    given = message.body.get("headers") if isinstance(message.body, dict) else None
    if not isinstance(given, Mapping):
        return None
    headers = {str(name).lower(): str(value) for name, value in given.items()}
    if headers.get("list-unsubscribe-post", "").strip() != _ONE_CLICK:
        return None
    found = _ANGLE.search(headers.get("list-unsubscribe", ""))
    return found[1] if found is not None else None


def _doors(config: SandboxConfig) -> set[tuple[str, int] | None]:
    """Scheme and port of every callback URL on this machine: the product's web process."""
    urls = [each.callback_url for each in config.whatsapp.accounts] if config.whatsapp else []
    urls += [each.callback_url for each in config.resend.accounts] if config.resend else []
    urls += [config.slack.callback_url] if config.slack else []
    return {_door(url) for url in urls if url}


def _door(url: str) -> tuple[str, int] | None:
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        return None
    return (parts.scheme, port) if parts.hostname in _LOOPBACK else None
