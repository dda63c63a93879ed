"""What can go wrong on the wire: connections that hang, break, or give their answer byte by byte."""

from __future__ import annotations

import asyncio
import socket
import struct

from aiohttp import web

from sandbox.faults import Fault, Mode

_HANG_POLL_SECONDS = 0.2
_RST_ON_CLOSE = struct.pack("ii", 1, 0)
"""SO_LINGER on with 0 seconds: close sends RST and throws away what was queued."""
_PIECE = b" " * 16 * 1024


async def spoil(request: web.Request, fault: Fault) -> None:
    """Do to the connection what the fault says; ends when the caller is gone or the connection closed."""
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
        await asyncio.sleep(_HANG_POLL_SECONDS)


def _is_there(request: web.Request) -> bool:
    return request.transport is not None and not request.transport.is_closing()


def _reset(request: web.Request) -> None:
    transport = request.transport
    if not isinstance(transport, asyncio.Transport):
        return
    peer = transport.get_extra_info("socket")
    if peer is not None:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RST_ON_CLOSE)
    transport.abort()


async def _drip_headers(request: web.Request, pause: float) -> None:
    """A good status line at once, then a header that never ends."""
    _write(request, b"HTTP/1.1 200 OK\r\nX-Patience: ")
    while _is_there(request):
        _write(request, b"a")
        await asyncio.sleep(pause)


def _write(request: web.Request, data: bytes) -> None:
    if isinstance(request.transport, asyncio.Transport):
        request.transport.write(data)


async def _stream(request: web.Request, piece: bytes, pause: float) -> None:
    """A good status and a body that never ends."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    try:
        await response.prepare(request)
        while _is_there(request):
            await response.write(piece)
            await asyncio.sleep(pause)
    except ConnectionError:
        return
