"""The part of the control API that plays browsers: their subscriptions to push messages."""

from __future__ import annotations

from aiohttp import web

from sandbox.control.wire import answer, bad, read_object
from sandbox.services.web_push import subscriptions
from sandbox.world import World

LONGEST_NAME = 100


class ControlBrowsers:
    """Endpoints under `/_/subscriptions`."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[web.RouteDef]:
        """The routes."""
        return [
            web.post("/_/subscriptions", self.subscribe),
            web.delete("/_/subscriptions/{token}", self.end),
        ]

    async def subscribe(self, request: web.Request) -> web.Response:
        """A browser subscribes: `{"name", "key"}`; answers what its page would get. `key`: the sender's public key."""
        body = await read_object(request)
        name, key = body.get("name"), body.get("key")
        if not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME:
            raise bad(f"name: a text of at most {LONGEST_NAME} characters")
        if not isinstance(key, str) or not subscriptions.is_key(key):
            raise bad("key: the sender's public key of P-256, in URL-safe base64")
        made = subscriptions.subscribe(self._world, name, key.rstrip("="))
        return answer(made.subscription(f"http://{request.host}"), status=201)

    async def end(self, request: web.Request) -> web.Response:
        """A browser's owner withdraws the permission."""
        if not subscriptions.end(self._world, request.match_info["token"]):
            raise bad("there is no such subscription")
        return web.Response(status=204)
