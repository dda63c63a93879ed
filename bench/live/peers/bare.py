"""``python -m bench.live.peers.bare``: the library ``websockets`` and its ``broadcast()``, and nothing else."""

import os
from http import HTTPStatus

import uvloop
from redis.asyncio import Redis
from websockets.asyncio.server import ServerConnection, broadcast, serve
from websockets.http11 import Request, Response

from bench.live.peers import TOPIC


async def _until_closed(connection: ServerConnection) -> None:
    await connection.wait_closed()


def _probe(connection: ServerConnection, request: Request) -> Response | None:
    return connection.respond(HTTPStatus.OK, "ready\n") if request.path == "/readyz" else None


async def main() -> None:
    """Serve until the process ends."""
    async with (
        serve(_until_closed, "127.0.0.1", int(os.environ["PORT"]), compression=None, process_request=_probe) as server,
        Redis.from_url(os.environ["REDIS_URL"]).pubsub() as topic,
    ):
        await topic.subscribe(TOPIC)
        async for message in topic.listen():
            if message["type"] == "message":
                broadcast(server.connections, message["data"].decode())


if __name__ == "__main__":
    uvloop.run(main())
