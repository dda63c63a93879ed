"""What can go wrong on the wire: connections that hang, break, or give their answer byte by byte."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct

from aiohttp import web

from sandbox.faults.board import Fault, Mode

_HANG_POLL_SECONDS = 0.2
_RST_ON_CLOSE = struct.pack("ii", 1, 0)
"""SO_LINGER on with 0 seconds: close sends RST and discards what was queued."""
_PIECE = b" " * 16 * 1024
CLOSING = web.AppKey("closing", asyncio.Event)
"""Set when the sandbox is told to stop: requests that merely wait then end too, while the database is still open."""


async def pause(request: web.Request, seconds: float) -> None:
    """Wait for this long, or until the sandbox is told to stop."""
    if not seconds:
        await asyncio.sleep(0)
        return
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(request.app[CLOSING].wait(), seconds)


async def spoil(request: web.Request, fault: Fault) -> None:
    """Do to the connection what the fault says; ends when the caller is gone or the connection is closed."""
    match fault.mode:
        case Mode.HANG:
            await _wait_for_hangup(request)
        case Mode.RESET:
            _reset(request)
        case Mode.SILENT_CLOSE:
            if request.transport is not None:
                request.transport.close()
        case Mode.DRIP_HEADERS:
            await _drip_headers(request, fault.seconds)
        case Mode.DRIP_BODY:
            await _stream(request, b" ", fault.seconds)
        case Mode.ENDLESS_BODY:
            await _stream(request, _PIECE, 0)


async def _wait_for_hangup(request: web.Request) -> None:
    while _is_there(request):
        await pause(request, _HANG_POLL_SECONDS)


def _is_there(request: web.Request) -> bool:
    open_still = request.transport is not None and not request.transport.is_closing()
    return open_still and not request.app[CLOSING].is_set()


def _reset(request: web.Request) -> None:
    transport = request.transport
    if not isinstance(transport, asyncio.Transport):
        return
    peer = transport.get_extra_info("socket")
    if peer is not None:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RST_ON_CLOSE)
    transport.abort()


async def _drip_headers(request: web.Request, each: float) -> None:
    """A successful status line immediately, then a header that never ends."""
    _write(request, b"HTTP/1.1 200 OK\r\nX-Patience: ")
    while _is_there(request):
        _write(request, b"a")
        await pause(request, each)


def _write(request: web.Request, data: bytes) -> None:
    if isinstance(request.transport, asyncio.Transport):
        request.transport.write(data)


async def _stream(request: web.Request, piece: bytes, each: float) -> None:
    """A successful status and a body that never ends."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    try:
        await response.prepare(request)
        while _is_there(request):
            await response.write(piece)
            await pause(request, each)
    except ConnectionError:
        return
