"""The web process: ``python -m wedsync.web.server`` (docs/adr/0098).

uvicorn with the options that the product needs, and an end in which nobody is cut off. Told to end by SIGTERM, it says
that it is not ready, serves on for ``WEDSYNC_DRAIN_SECONDS`` while its sockets and streams end one by one, then answers
the requests that have begun, and exits with 0. SIGINT, or a second SIGTERM, ends the serving on at once.
"""

import argparse
import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Sequence
from types import FrameType
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wedsync.settings")

import uvicorn
from django.conf import settings

from wedsync.web.draining import drain

APPLICATION = "wedsync.asgi:application"
HTTP_PROTOCOL = "wedsync.live.streams.server_protocol:StreamProtocol"
SOCKET_PROTOCOL = "wedsync.live.sockets.server_protocol:SocketProtocol"
OPTIONS: dict[str, Any] = {
    "loop": "uvloop",
    "ws_per_message_deflate": False,
    "ws_max_size": 64 * 1024,
    "access_log": False,
    "proxy_headers": False,
    "timeout_keep_alive": 75,  # longer than balancers keep theirs; docs/operators/proxy.md
    "timeout_graceful_shutdown": 10,
    "log_level": "warning",
}
_NOT_STARTED = 3


class Server(uvicorn.Server):
    """uvicorn's server, which drains before it stops."""

    _told_to_end = False
    _draining: asyncio.Task[None] | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Remember a signal; unlike the parent class, do not end by it."""
        if sig == signal.SIGTERM and not self._told_to_end:
            self._told_to_end = True
        elif self.should_exit:
            self.force_exit = True
        else:
            self.should_exit = True

    async def on_tick(self, counter: int) -> bool:
        """Begin to drain once told to end. Returns whether to stop."""
        if self._told_to_end and self._draining is None:
            self._draining = asyncio.create_task(self._drain())
        return await super().on_tick(counter)

    async def _drain(self) -> None:
        try:
            await drain.run(settings.DRAIN_SECONDS)
        finally:
            self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening, end the connections that are left, and let begun requests be answered."""
        for server in self.servers:
            server.close()
        if self._draining is not None:
            self._draining.cancel()
        if not self.force_exit:
            await drain.run(0)
        await super().shutdown(sockets)


def main(words: Sequence[str] | None = None) -> int:
    """Serve until told to end; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m wedsync.web.server")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--application", default=APPLICATION, help="another ASGI application, to compare with")
    parser.add_argument("--ws", default=SOCKET_PROTOCOL, help="uvicorn's protocol for WebSockets")
    parser.add_argument("--http", default=HTTP_PROTOCOL, help="uvicorn's protocol for HTTP")
    given = parser.parse_args(words)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # background jobs of a shell ignore it at first
    pings: dict[str, Any] = {"ws_ping_interval": settings.PING_SECONDS, "ws_ping_timeout": settings.PING_SECONDS}
    config = uvicorn.Config(
        given.application, host=given.host, port=given.port, ws=given.ws, http=given.http, **OPTIONS, **pings
    )
    server = Server(config)
    with contextlib.suppress(KeyboardInterrupt):
        config.load_app()
        server.run()
    return 0 if server.started else _NOT_STARTED


if __name__ == "__main__":
    sys.exit(main())
