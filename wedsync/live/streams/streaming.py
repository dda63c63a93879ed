"""``GET /api/channels/events/?channel=...``: a stream of Server-Sent Events."""

import random
from collections.abc import Mapping
from functools import partial
from typing import Any

from wedsync.live import threads
from wedsync.live.fan_out.broadcasting import broadcaster
from wedsync.live.log.reader import ChannelKey, positions
from wedsync.live.log.resumption import Resumed
from wedsync.live.quotas import Slot, quotas
from wedsync.live.streams import entrance, framing
from wedsync.live.streams.admission import Count
from wedsync.live.streams.event_stream import EventStream
from wedsync.live.streams.parameters import stream_request
from wedsync.live.streams.problems import bad_request
from wedsync.live.streams.server_protocol import EXTENSION, StreamProtocol
from wedsync.live.streams.upkeep import upkeep

HEADERS = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store, no-transform"),
    (b"x-accel-buffering", b"no"),  # for nginx, which otherwise collects events before it passes them on
    (b"x-content-type-options", b"nosniff"),
]
RECONNECT_AFTER = 1_000, 3_000  # milliseconds


async def serve(scope: dict[str, Any], send: Any, count: Count) -> None:
    """Admit a client and begin its stream, which goes on after this has returned.

    Raises:
        Problematic: it is refused.
        RuntimeError: the server was started with another protocol for HTTP than ``StreamProtocol``.
    """
    connection = _connection_of(scope)
    asked = stream_request(scope)
    slot = entrance.enter(scope)
    stream: EventStream | None = None
    try:
        admitted = await entrance.admitted(scope, slot, asked.starts, asked.organization, count)
        await broadcaster.listen()
        keys = [ChannelKey(admitted.pass_.organization_id, name) for name in asked.starts]
        found = await threads.entrance.run(positions, keys)
        resumed = asked.resumed({key.name: where for key, where in found.items()})
        if not connection.prepare(scope):
            raise bad_request("Nothing may follow a request for a stream on the same connection.")
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        if scope["method"] == "HEAD":
            await send({"type": "http.response.body", "body": b""})
            return
        stream = EventStream(admitted, (scope.get("client") or ("",))[0], connection, resumed, partial(_forget, slot))
    finally:
        if stream is None:
            quotas.leave(slot)
    connection.hand_over(stream)
    if stream.is_open:
        stream.begin(resumed, _first(stream, resumed))
        upkeep.add(stream)


def _connection_of(scope: Mapping[str, Any]) -> StreamProtocol:
    found = (scope.get("extensions") or {}).get(EXTENSION)
    connection = found() if found else None
    if connection is None:
        raise RuntimeError("Start wedsync.web.server as the Procfile does: streams need their own protocol.")
    return connection  # type: ignore[no-any-return]


def _forget(slot: Slot, stream: EventStream) -> None:
    upkeep.remove(stream)
    quotas.leave(slot)


def _first(stream: EventStream, resumed: Mapping[str, Resumed]) -> bytes:
    """What a stream begins with: its position in each channel, and what it could not resume."""
    answers = {name: found.answer for name, found in resumed.items()}
    lost = [name for name, found in resumed.items() if found.recovered is False]
    return b"".join(
        (
            framing.retry(random.randint(*RECONNECT_AFTER)),
            framing.named("subscribed", {"channels": answers}, stream.cursor),
            *(framing.named("unrecoverable", {"channel": name, **answers[name]}) for name in lost),
        )
    )
