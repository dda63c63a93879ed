"""The part of the control API that plays people and networks: replies, statuses, and disturbances of them."""

from __future__ import annotations

import re

from aiohttp import web

from sandbox.callbacks.disturbances import Disturbance
from sandbox.control.wire import answer, bad, read_object, validated
from sandbox.people.replies import Replies, ReplyRefused
from sandbox.people.statuses import Statuses, StatusRefused
from sandbox.people.unsubscribing import UnsubscribeRefused, Unsubscribing
from sandbox.world import World


class ControlPeople:
    """Endpoints under `/_/` that cause callbacks, or disturb them."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._replies = Replies(world)
        self._statuses = Statuses(world)
        self._unsubscribing = Unsubscribing(world)

    def routes(self) -> list[web.RouteDef]:
        """The routes."""
        return [
            web.post("/_/replies", self.reply),
            web.post("/_/statuses", self.status),
            web.post("/_/unsubscribes", self.unsubscribe),
            web.get("/_/callbacks", self.list_disturbances),
            web.post("/_/callbacks", self.disturb),
            web.delete("/_/callbacks", self.clear_disturbances),
            web.delete("/_/windows", self.close_windows),
        ]

    async def reply(self, request: web.Request) -> web.Response:
        """A person replies: see `Replies.send`."""
        try:
            return answer(await self._replies.send(await read_object(request)))
        except ReplyRefused as refused:
            raise bad(str(refused)) from refused

    async def status(self, request: web.Request) -> web.Response:
        """A message gets a status now: see `Statuses.happen`."""
        try:
            return answer(await self._statuses.happen(await read_object(request)))
        except StatusRefused as refused:
            raise bad(str(refused)) from refused

    async def unsubscribe(self, request: web.Request) -> web.Response:
        """A mailbox's owner presses "Unsubscribe": see `Unsubscribing.press`."""
        try:
            return answer(await self._unsubscribing.press(await read_object(request)))
        except UnsubscribeRefused as refused:
            raise bad(str(refused)) from refused

    async def list_disturbances(self, _request: web.Request) -> web.Response:
        """The active disturbances of callbacks."""
        return answer({"callbacks": self._world.callbacks.disturbances.listing()})

    async def disturb(self, request: web.Request) -> web.Response:
        """Disturb the callbacks of messages accepted from now on: see `Disturbance`."""
        disturbance = validated(Disturbance, await read_object(request))
        if disturbance.service == "slack" and (disturbance.disorder or disturbance.dropped):
            raise bad("service: Slack sends no statuses; only delay_seconds, double and ratio apply")
        self._world.callbacks.disturbances.put(disturbance)
        return answer(disturbance.model_dump(mode="json"), status=201)

    async def clear_disturbances(self, request: web.Request) -> web.Response:
        """End the disturbance of `service`, or all of them."""
        self._world.callbacks.disturbances.clear(request.query.get("service") or None)
        return web.Response(status=204)

    async def close_windows(self, request: web.Request) -> web.Response:
        """End the 24-hour window of the person with the number `to`, or everybody's."""
        self._world.windows.close(re.sub(r"\D", "", request.query.get("to", "")) or None)
        return web.Response(status=204)
