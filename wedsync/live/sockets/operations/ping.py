"""Asking whether the connection still works."""

from typing import Any

from wedsync.live.sockets.operations.requests import Operation, Request


async def _ping(_: Request) -> dict[str, Any]:
    return {}


PING = Operation(frozenset(), _ping)
