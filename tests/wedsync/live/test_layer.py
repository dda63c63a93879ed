"""The channel layer's patience."""

import asyncio

from channels.layers import get_channel_layer
from redis.asyncio.connection import AbstractConnection

from wedsync.live.fan_out.layer import PatientRedisLayer


def test_a_quiet_channel_is_no_broken_connection() -> None:
    layer = get_channel_layer()
    assert isinstance(layer, PatientRedisLayer)

    async def connection() -> AbstractConnection:
        made: AbstractConnection = layer.connection(0).connection_pool.make_connection()
        return made

    socket_timeout = asyncio.run(connection()).socket_timeout
    assert socket_timeout is None or socket_timeout > layer.brpop_timeout
