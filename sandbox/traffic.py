"""The front door of every service: log the request, apply the active fault, answer."""

from __future__ import annotations

import re
import time
import traceback
from collections import Counter
from collections.abc import Mapping

from aiohttp import web

from sandbox.faults.board import Fault, FaultBoard, Mode
from sandbox.faults.spoiling import CLOSING, pause, spoil
from sandbox.logs import log
from sandbox.wire import Call, Reply, text_reply
from sandbox.world import OneAtATime, Service, World

_SECRET = re.compile(r"(/services/[^/]+/[^/]+/|^/send/)[^/]+")
"""The parts of paths that are secrets: of Slack's webhooks, and of push services' endpoints."""


class Traffic:
    """Serves `/{service}/...` for all services."""

    def __init__(self, world: World, services: Mapping[str, Service], faults: FaultBoard) -> None:
        self._world = world
        self._services = services
        self._faults = faults
        self._under_way: Counter[tuple[str, str, str]] = Counter()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """One request, from its first byte to its log line."""
        service = self._services[request.match_info["service"]]
        call = await _read(request, service.slug)
        fault = self._faults.draw(service.slug, f"/{service.slug}{call.path}".rstrip("/"))
        started = time.perf_counter()
        shown_path = _SECRET.sub(r"\1***", call.path)
        fault_name = fault.mode.value if fault else None
        key = call.headers.get("idempotency-key")
        requests = self._world.requests
        row_id = requests.begin(service.slug, call.received_at, call.method, shown_path, fault_name, key)
        self._world.tally.received(service.slug, call)
        reply: Reply | None = None
        try:
            reply = await self._answer(request, service, call, fault)
        except Exception:  # a bug here must look like an outage, not close the connection
            log("error", service=service.slug, path=shown_path, error=traceback.format_exc())
            reply = service.failure(500, None)
        finally:
            status = reply.status if reply else None
            elapsed_ms = (time.perf_counter() - started) * 1000
            requests.finish(row_id, service.slug, status, elapsed_ms)
            fields = {"method": call.method, "path": shown_path, "status": status, "ms": round(elapsed_ms, 2)}
            log("request", service=service.slug, **fields, fault=fault_name)
        return _response(reply)

    async def _answer(self, request: web.Request, service: Service, call: Call, fault: Fault | None) -> Reply | None:
        if isinstance(service, OneAtATime) and _under_way_key(service, call) in self._under_way:
            return service.concurrent()
        if fault is None:
            return self._ask(service, call)
        taken = self._ask(service, call) if fault.after else None
        if taken is not None and fault.mode is Mode.LATENCY:
            await pause(request, fault.seconds)
            return None if request.app[CLOSING].is_set() else taken
        match fault.mode:
            case Mode.LATENCY:
                return await self._answer_late(request, service, call, fault.seconds)
            case Mode.STATUS | Mode.FLAP:
                return _failure(service, fault)
        await spoil(request, fault)
        return None

    async def _answer_late(self, request: web.Request, service: Service, call: Call, seconds: float) -> Reply | None:
        key = _under_way_key(service, call)
        self._under_way += Counter({key} if key else ())
        try:
            await pause(request, seconds)
        finally:
            self._under_way -= Counter({key} if key else ())
        return None if request.app[CLOSING].is_set() else self._ask(service, call)

    def _ask(self, service: Service, call: Call) -> Reply:
        if not service.exists(self._world.config.current()):
            return text_reply(404, f"The service {service.slug!r} is not in sandbox.json.\n")
        reply = service.answer(call)
        if 200 <= reply.status < 300:
            self._world.tally.taken(service.slug, call)
        return reply


def _under_way_key(service: Service, call: Call) -> tuple[str, str, str] | None:
    key = call.headers.get("idempotency-key")
    return None if key is None else (service.slug, call.headers.get("authorization", ""), key)


async def _read(request: web.Request, slug: str) -> Call:
    headers: dict[str, str] = {}
    for name, value in request.headers.items():
        lowered = name.lower()
        headers[lowered] = f"{headers[lowered]}, {value}" if lowered in headers else value
    body = await request.read()
    # raw_path keeps %2F inside its segment, so that an id cannot escape its place in the pattern.
    path = request.raw_path.partition("?")[0].removeprefix(f"/{slug}") or "/"
    return Call(request.method, path, dict(request.query), headers, body)


def _failure(service: Service, fault: Fault) -> Reply:
    reply = service.failure(fault.status, fault.code)
    extra = dict(reply.headers)
    if fault.retry_after is not None:
        extra = {name: value for name, value in extra.items() if name.lower() != "retry-after"}
        extra["Retry-After"] = str(fault.retry_after)
    if 300 <= reply.status < 400:
        extra["Location"] = "/_/healthz"
    return Reply(reply.status, reply.body, reply.content_type, extra)


def _response(reply: Reply | None) -> web.Response:
    if reply is None:
        return web.Response(status=499)  # reaches nobody: the connection is gone
    charset = "utf-8" if reply.content_type.startswith("text/") else None
    return web.Response(
        status=reply.status,
        body=reply.body,
        headers=dict(reply.headers),
        content_type=reply.content_type,
        charset=charset,
    )
