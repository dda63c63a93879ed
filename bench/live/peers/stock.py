"""Channels as in its documentation: a consumer in a group, over the layer that uses Redis' PUBLISH. For uvicorn."""

import os
from typing import Any

from channels.generic.websocket import AsyncJsonWebsocketConsumer
from channels.layers import channel_layers
from channels_redis.pubsub import RedisPubSubChannelLayer  # type: ignore[import-untyped]
from django.conf import settings

from bench.live.peers import GROUP

if not settings.configured:
    settings.configure(CHANNEL_LAYERS={}, INSTALLED_APPS=[])
layer = RedisPubSubChannelLayer(hosts=[os.environ["REDIS_URL"]])
channel_layers.set("default", layer)


class Listener(AsyncJsonWebsocketConsumer):  # type: ignore[misc]  # channels has no types
    """One client, which receives all that is sent to its group."""

    groups = (GROUP,)

    async def event_happened(self, message: dict[str, Any]) -> None:
        """Send one event; called by the layer."""
        await self.send_json(message["event"])


_sockets = Listener.as_asgi()


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Serve the sockets, and a readiness probe."""
    if scope["type"] == "websocket":
        await _sockets(scope, receive, send)
    elif scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ready\n"})
