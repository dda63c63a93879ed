"""The control API under `/_/`: what arrived, what is to fail, how often each service was called."""

from __future__ import annotations

from collections.abc import Collection

from aiohttp import web

from sandbox.control.wire import answer, bad, integer, read_object, validated
from sandbox.faults.board import Fault, FaultBoard
from sandbox.storage.messages import Filter
from sandbox.world import World


class Control:
    """Endpoints for tests, for the page and for people with curl."""

    def __init__(self, world: World, slugs: Collection[str], faults: FaultBoard) -> None:
        self._world = world
        self._slugs = slugs
        self._faults = faults

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
            web.get("/_/tally", self.tally),
            web.delete("/_/tally", self.delete_tally),
            web.get("/_/records", self.records),
            web.post("/_/records", self.put_records),
            web.delete("/_/records", self.delete_records),
        ]

    async def health(self, _request: web.Request) -> web.Response:
        """Always ok; `config_error` says why a newer sandbox.json is not used."""
        self._world.config.current()
        return answer({"status": "ok", "config_error": self._world.config.error})

    async def messages(self, request: web.Request) -> web.Response:
        """The messages after `since`, oldest first; `q` searches, `limit` caps. `cursor` is the next `since`."""
        service = self._service(request)
        which = Filter([service] if service else [], integer(request, "since", 0), request.query.get("q", ""))
        limit = integer(request, "limit", 0) or None
        found = self._world.messages.oldest_first(which, limit)
        cut_short = limit is not None and len(found) == limit
        cursor = found[-1].id if cut_short else max(self._world.messages.last_id(), which.since)
        return answer({"messages": [message.public() for message in found], "cursor": cursor})

    async def delete_messages(self, request: web.Request) -> web.Response:
        """Forget the messages; idempotency keys and cursors stay."""
        return answer({"deleted": self._world.messages.delete(self._service(request))})

    async def list_faults(self, _request: web.Request) -> web.Response:
        """The active faults, with the numbers of requests that they saw and hit."""
        return answer({"faults": self._faults.listing()})

    async def put_fault(self, request: web.Request) -> web.Response:
        """Set the fault of a service, or of one of its paths."""
        body = await read_object(request)
        fault = validated(Fault, body)
        if fault.service not in self._slugs:
            raise bad(f"service: must be one of {', '.join(self._slugs)}")
        if fault.path and fault.path.split("/")[1] != fault.service:
            raise bad(f"path: must begin with /{fault.service}/")
        self._faults.put(fault)
        return answer(fault.model_dump(mode="json"), status=201)

    async def clear_faults(self, request: web.Request) -> web.Response:
        """End the faults of `service`, only that of its `path`, or all."""
        self._faults.clear(self._service(request), request.query.get("path"))
        return web.Response(status=204)

    async def requests(self, request: web.Request) -> web.Response:
        """Counts by service and outcome, and the last requests."""
        service = self._service(request)
        log = self._world.requests
        return answer({"counts": log.counts(service), "requests": log.rows(service)})

    async def delete_requests(self, request: web.Request) -> web.Response:
        """Start counting from zero."""
        self._world.requests.delete(self._service(request))
        return web.Response(status=204)

    async def tally(self, request: web.Request) -> web.Response:
        """How often each id arrived, at `service` or below `path`; with `summary=1` only the totals."""
        entries = request.query.get("summary") != "1"
        path = request.query.get("path", "").rstrip("/")
        return answer(self._world.tally.report(self._service(request), path, entries=entries))

    async def delete_tally(self, request: web.Request) -> web.Response:
        """Start counting from zero."""
        self._world.tally.forget(self._service(request))
        return web.Response(status=204)

    async def records(self, request: web.Request) -> web.Response:
        """The records of a `kind` in a vendor's system: client, booking, event, setup, gallery, timeline."""
        service = self._service(request) or ""
        return answer({"records": self._world.records.every(service, request.query.get("kind", ""))})

    async def put_records(self, request: web.Request) -> web.Response:
        """Somebody at the vendor changes records: `{"service", "kind", "records": [{"id", ...}]}`."""
        body = await read_object(request)
        service, kind, listed = body.get("service"), body.get("kind"), body.get("records")
        if not isinstance(service, str) or service not in self._slugs or not isinstance(kind, str):
            raise bad("service and kind are required")
        if not isinstance(listed, list):
            raise bad("records: must be a list")
        if not all(isinstance(each, dict) and isinstance(each.get("id"), str) for each in listed):
            raise bad("records: must be objects with an id")
        merge = self._world.records.merge
        return answer({"records": [merge(service, kind, each["id"], each) for each in listed]}, status=201)

    async def delete_records(self, request: web.Request) -> web.Response:
        """Forget the records of the vendors' systems."""
        self._world.records.delete(self._service(request))
        return web.Response(status=204)

    def _service(self, request: web.Request) -> str | None:
        service = request.query.get("service") or None
        if service is not None and service not in self._slugs:
            raise bad(f"service: must be one of {', '.join(self._slugs)}")
        return service
