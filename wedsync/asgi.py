"""The web process: webhooks, probes, sockets and streams on asyncio, the rest of HTTP in a bounded thread pool.

Sync views on Django's own ASGI handler opened a database connection per thread and failed under load. The WSGI
handler behind our own bridge keeps one origin and a bounded number of connections (docs/adr/0007, 0054).
"""

import asyncio
import gc
import os
from functools import partial

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wedsync.settings")

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, Scope
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

django = get_wsgi_application()

from integrations.health.heartbeats import Part, Pulse
from integrations.systems import key_check
from webhooks.front_door import PACE, FrontDoor
from wedsync import startup
from wedsync.api.keys import limits as key_limits
from wedsync.api.probes.asgi import Probes
from wedsync.correlation import Correlated
from wedsync.database import sessions
from wedsync.database.sessions import Role
from wedsync.database.threads import in_thread
from wedsync.env import ConfigurationError
from wedsync.live.listeners import answers
from wedsync.live.sockets import channel_socket
from wedsync.live.sockets.entrance import Entrance
from wedsync.live.streams.cross_origin import CrossOrigin
from wedsync.live.streams.routes import Streams
from wedsync.web.answers import closing_early_answers
from wedsync.web.draining import moving_senders_on
from wedsync.web.wsgi_bridge import Bridge, Limits

DJANGO_THREADS = 10
GARBAGE = 10_000, 20, 20  # requests leave little that reference counts do not free

startup.verify()
door_in = FrontDoor()
probes = Probes()
limits = Limits(
    largest=settings.BODY_LARGEST_BYTES,
    largest_import=settings.IMPORT_LARGEST_BYTES,
    together=settings.BODIES_AT_ONCE_BYTES,
    pace=PACE,
)
# People and programs wait for pages and the API, so their statements have a time limit.
pages = Bridge(django, limits, threads=DJANGO_THREADS, initializer=partial(sessions.become, Role.PAGES))
sockets = Entrance(channel_socket.serve)
streams = Streams(partial(key_limits.count, key_limits.Share.CALLS))
SOCKET_PATH = "/ws/channels/"
pulse = Pulse(Part.WEB, watched=(Part.SWEEP, Part.HEALTH))


async def application(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    """Send each connection to the part that speaks its protocol."""
    if scope["type"] == "http":
        path, method = scope["path"], scope["method"]
        await (door_in.at(path) or streams.at(path, method) or probes.at(path) or pages)(scope, receive, send)
    elif scope["type"] == "websocket" and scope["path"] == SOCKET_PATH:
        await sockets(scope, receive, send)  # type: ignore[arg-type]
    elif scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1000, "reason": None})
    else:
        await _lifespan(receive, send)


async def _lifespan(receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    """Start the writers with the server; when it stops, let them finish what was accepted."""
    beating: asyncio.Task[None] | None = None
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            try:
                await in_thread(key_check.verify)
            except ConfigurationError as error:
                await send({"type": "lifespan.startup.failed", "message": f"WedSync cannot start: {error}"})
                return
            door_in.start()
            answers.begin()
            beating = asyncio.get_running_loop().create_task(pulse.keep())
            gc.freeze()  # what is loaded by now stays, so the collector need not examine it again
            gc.set_threshold(*GARBAGE)
            await send({"type": "lifespan.startup.complete"})
        else:
            if beating:
                beating.cancel()
            await door_in.stop()
            await send({"type": "lifespan.shutdown.complete"})
            return


application = CrossOrigin(application, settings.LIVE_ORIGINS)
application = Correlated(moving_senders_on(closing_early_answers(application)))
if settings.TRUSTED_PROXIES:
    application = ProxyHeadersMiddleware(application, list(settings.TRUSTED_PROXIES))  # type: ignore[assignment]
