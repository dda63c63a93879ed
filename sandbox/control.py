"""The control API under `/_/`: what arrived, what shall fail, how often was called."""

from __future__ import annotations

import json
from collections.abc import Collection

from aiohttp import web
from pydantic import ValidationError

from sandbox.faults import Fault, FaultBoard
from sandbox.replies import Replies, ReplyRefused
from sandbox.storage.messages import Filter
from sandbox.wire import Json
from sandbox.world import World


class Control:
    """Endpoints for tests, for the page and for people with curl."""

    def __init__(self, world: World, slugs: Collection[str], faults: FaultBoard) -> None:
        self._world = world
        self._slugs = slugs
        self._faults = faults
        self._replies = Replies(world)

    def routes(self) -> list[web.RouteDef]:
        """The routes of the control API."""
        return [
            web.get("/_/healthz", self.health),
            web.get("/_/messages", self.messages),
            web.delete("/_/messages", self.delete_messages),
            web.get("/_/faults", self.list_faults),
            web.post("/_/faults", self.put_fault),
            web.delete("/_/faults", self.clear_faults),
            web.get("/_/requests", self.requests),
            web.delete("/_/requests", self.delete_requests),
            web.post("/_/replies", self.reply),
            web.get("/_/tally", self.tally),
            web.delete("/_/tally", self.delete_tally),
            web.get("/_/records", self.records),
            web.post("/_/records", self.put_records),
            web.delete("/_/records", self.delete_records),
        ]

    async def health(self, _request: web.Request) -> web.Response:
        """Alive; `config_error` says why a newer sandbox.json was not taken."""
        self._world.config.current()
        return _json({"status": "ok", "config_error": self._world.config.error})

    async def messages(self, request: web.Request) -> web.Response:
        """The messages after `since`, oldest first; `q` searches, `limit` bounds. `cursor` is the next `since`."""
        service = self._service(request)
        which = Filter([service] if service else [], _integer(request, "since", 0), request.query.get("q", ""))
        limit = _integer(request, "limit", 0) or None
        found = self._world.messages.oldest_first(which, limit)
        cut_short = limit is not None and len(found) == limit
        cursor = found[-1].id if cut_short else max(self._world.messages.last_id(), which.since)
        return _json({"messages": [message.public() for message in found], "cursor": cursor})

    async def delete_messages(self, request: web.Request) -> web.Response:
        """Forget the messages; idempotency keys and cursors stay."""
        return _json({"deleted": self._world.messages.delete(self._service(request))})

    async def list_faults(self, _request: web.Request) -> web.Response:
        """The faults in force, with how many requests they saw and hit."""
        return _json({"faults": self._faults.listing()})

    async def put_fault(self, request: web.Request) -> web.Response:
        """Set the fault of one service, or of a path of it."""
        body = await _object(request)
        try:
            fault = Fault.model_validate(body)
        except ValidationError as error:
            places = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()]
            raise _bad("; ".join(places)) from error
        if fault.service not in self._slugs:
            raise _bad(f"service: must be one of {', '.join(self._slugs)}")
        if fault.path and fault.path.split("/")[1] != fault.service:
            raise _bad(f"path: must begin with /{fault.service}/")
        self._faults.put(fault)
        return _json(fault.model_dump(mode="json"), status=201)

    async def clear_faults(self, request: web.Request) -> web.Response:
        """End the faults of `service`, of its `path` alone, or all."""
        self._faults.clear(self._service(request), request.query.get("path"))
        return web.Response(status=204)

    async def requests(self, request: web.Request) -> web.Response:
        """Counts by service and outcome, and the last requests."""
        service = self._service(request)
        log = self._world.requests
        return _json({"counts": log.counts(service), "requests": log.rows(service)})

    async def delete_requests(self, request: web.Request) -> web.Response:
        """Start counting anew."""
        self._world.requests.delete(self._service(request))
        return web.Response(status=204)

    async def reply(self, request: web.Request) -> web.Response:
        """A person answers: see `Replies.send`."""
        try:
            return _json(await self._replies.send(await _object(request)))
        except ReplyRefused as refused:
            raise _bad(str(refused)) from refused

    async def tally(self, request: web.Request) -> web.Response:
        """How often each id arrived, of `service` or below `path`; with `summary=1` only the sums."""
        entries = request.query.get("summary") != "1"
        path = request.query.get("path", "").rstrip("/")
        return _json(self._world.tally.report(self._service(request), path, entries=entries))

    async def delete_tally(self, request: web.Request) -> web.Response:
        """Start counting anew."""
        self._world.tally.forget(self._service(request))
        return web.Response(status=204)

    async def records(self, request: web.Request) -> web.Response:
        """What a vendor's system keeps of a `kind`: client, booking, event, setup, gallery, timeline."""
        service = self._service(request) or ""
        return _json({"records": self._world.records.every(service, request.query.get("kind", ""))})

    async def put_records(self, request: web.Request) -> web.Response:
        """Somebody at the vendor's changes records: `{"service", "kind", "records": [{"id", ...}]}`."""
        body = await _object(request)
        service, kind, listed = (body.get(name) for name in ("service", "kind", "records"))
        if service not in self._slugs or not isinstance(kind, str) or not isinstance(listed, list):
            raise _bad("service, kind and records are needed")
        if not all(isinstance(each, dict) and isinstance(each.get("id"), str) for each in listed):
            raise _bad("records: must be objects with an id")
        merge = self._world.records.merge
        return _json({"records": [merge(service, kind, each["id"], each) for each in listed]}, status=201)

    async def delete_records(self, request: web.Request) -> web.Response:
        """Forget what the vendors' systems keep."""
        self._world.records.delete(self._service(request))
        return web.Response(status=204)

    def _service(self, request: web.Request) -> str | None:
        service = request.query.get("service") or None
        if service is not None and service not in self._slugs:
            raise _bad(f"service: must be one of {', '.join(self._slugs)}")
        return service


async def _object(request: web.Request) -> dict[str, Json]:
    try:
        body = json.loads(await request.read())
    except ValueError as error:
        raise _bad("the body must be JSON") from error
    if not isinstance(body, dict):
        raise _bad("the body must be a JSON object")
    return body


def _integer(request: web.Request, name: str, default: int) -> int:
    text = request.query.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise _bad(f"{name}: must be a non-negative integer")
    return int(text)


def _bad(message: str) -> web.HTTPBadRequest:
    return web.HTTPBadRequest(text=json.dumps({"error": message}), content_type="application/json")


def _json(value: Json, status: int = 200) -> web.Response:
    return web.Response(
        status=status, body=json.dumps(value, ensure_ascii=False).encode(), content_type="application/json"
    )
