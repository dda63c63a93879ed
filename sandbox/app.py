"""Puts the sandbox together: services, control API, page."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web

from sandbox.control.browsers import ControlBrowsers
from sandbox.control.people import ControlPeople
from sandbox.control.routes import Control
from sandbox.faults.board import FaultBoard
from sandbox.faults.spoiling import CLOSING
from sandbox.page.views import Page
from sandbox.services.receiver import Receiver
from sandbox.services.resend.emails import Resend
from sandbox.services.slack.webhooks import Slack
from sandbox.services.twilio.service import Twilio
from sandbox.services.vendors.systems import OPERATIONS, Vendor
from sandbox.services.web_push.service import WebPush
from sandbox.services.whatsapp.messages import WhatsApp
from sandbox.traffic import Traffic
from sandbox.world import Service, World

BODY_LIMIT = 40 * 1024 * 1024
"""Resend accepts emails of 40 MB after base64; no other service accepts more."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def build(world: World) -> web.Application:
    """The application; it closes `world` on cleanup."""
    vendors = [Vendor(slug, world) for slug in OPERATIONS]
    to_people: list[Service] = [WhatsApp(world), Slack(world), Resend(world), Twilio(world), WebPush(world)]
    services: list[Service] = [*to_people, *vendors, Receiver(world)]
    by_slug = {service.slug: service for service in services}
    faults = FaultBoard()
    app = web.Application(client_max_size=BODY_LIMIT, middlewares=[refuse_other_origins])
    app.add_routes(Control(world, list(by_slug), faults).routes())
    app.add_routes(ControlPeople(world).routes())
    app.add_routes(ControlBrowsers(world).routes())
    app.add_routes(Page(world, vendors=[*OPERATIONS, Receiver.slug]).routes())
    slugs = "|".join(by_slug)
    app.router.add_route("*", f"/{{service:{slugs}}}{{path:(/.*)?}}", Traffic(world, by_slug, faults).serve)

    async def end(app: web.Application) -> None:
        app[CLOSING].set()

    async def close(_app: web.Application) -> None:
        await world.callbacks.close()
        world.connection.close()

    app[CLOSING] = asyncio.Event()
    app.on_shutdown.append(end)
    app.on_cleanup.append(close)
    return app


@web.middleware
async def refuse_other_origins(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Keep web pages of other origins from controlling the sandbox through a visitor's browser."""
    origin = request.headers.get("Origin")
    if origin is not None and request.method != "GET" and urlsplit(origin).netloc != request.host:
        return web.json_response({"error": "requests from other origins are refused"}, status=403)
    return await handler(request)
