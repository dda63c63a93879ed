"""The product's ASGI application without the garbage collector; ``/_/objects`` counts what connections hold."""

import gc
import json
from typing import Any

from websockets.server import ServerProtocol

from wedsync.asgi import application as product
from wedsync.live.fan_out.subscriptions import Subscription
from wedsync.live.quotas import Slot
from wedsync.live.sockets.channel_socket import ChannelSocket
from wedsync.live.sockets.server_protocol import SocketProtocol
from wedsync.web.http_protocol import HttpProtocol

PATH = "/_/objects"
KINDS = (SocketProtocol, ServerProtocol, HttpProtocol, ChannelSocket, Subscription, Slot)
gc.disable()


async def application(scope: Any, receive: Any, send: Any) -> None:
    if scope.get("path") != PATH:
        await product(scope, receive, send)  # type: ignore[arg-type]
        return
    alive = gc.get_objects()
    found = {kind.__name__: sum(isinstance(each, kind) for each in alive) for kind in KINDS}
    await send({"type": "http.response.start", "status": 200, "headers": [(b"connection", b"close")]})
    await send({"type": "http.response.body", "body": json.dumps(found).encode()})
