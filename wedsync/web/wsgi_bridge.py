"""Django behind ASGI: a request takes a thread once its whole body is here, and frees it before the answer is sent.

Neither slow senders nor slow readers therefore hold a thread (docs/adr/0054).
"""

import asyncio
import contextvars
import re
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import structlog

from wedsync.web.answers import send_problem
from wedsync.web.request_bodies import BodyReader, Disconnected, announced_length, check_size
from wedsync.web.transfers import BodyRefused, Pace, Room, Transfer
from wedsync.wire.problems import OUR_FAULT

log = structlog.get_logger(__name__)
Environ = dict[str, Any]
IMPORT_PATH = re.compile(r"/import/?$", re.ASCII)
"""The paths of pages that accept whole files end like this."""
PIECE = 64 * 1024
_NOT_FOR_DJANGO = {b"content-length", b"transfer-encoding", b"expect"}
"""The length is set from the body that was read; the others have been handled here."""

_WITHOUT_BODY = {204, 304}


@dataclass(frozen=True, slots=True)
class Limits:
    """The most bytes of a body: ``largest`` for most paths, ``largest_import`` for :data:`IMPORT_PATH`.

    ``together``: the most bytes of all bodies at once, and the same of answers. ``pace``: for both.
    """

    largest: int
    largest_import: int
    together: int
    pace: Pace

    def of(self, path: str) -> int:
        """The most bytes of a body sent to a path."""
        return self.largest_import if IMPORT_PATH.search(path) else self.largest


@dataclass(slots=True)
class _Answer:
    """A WSGI application's whole answer."""

    status: int = 0
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    pieces: list[bytes] = field(default_factory=list)

    def start(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], None]:
        """``start_response`` of PEP 3333."""
        self.status = int(status.partition(" ")[0])
        self.headers = [(name.lower().encode("latin-1"), value.strip().encode("latin-1")) for name, value in headers]
        return self.pieces.append


class Bridge:
    """An ASGI application around a WSGI one.

    Arguments:
        threads: how many requests it handles at once.
        initializer: called once in each thread, before its first request.
    """

    def __init__(
        self,
        application: Callable[..., Iterable[bytes]],
        limits: Limits,
        *,
        threads: int,
        initializer: Callable[[], object] | None = None,
    ) -> None:
        self._application = application
        self._limits = limits
        self._bodies = BodyReader(Room(limits.together), limits.pace)
        self._answers = Room(limits.together)
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="pages", initializer=initializer)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        largest = self._limits.of(scope["path"])
        try:
            check_size(_announced(scope), largest)
            body, held = await self._bodies.read_and_hold(receive, largest)
        except BodyRefused as refused:
            await send_problem(send, refused.problem, receive=receive)
            return
        except Disconnected:
            return
        try:
            answer = await self._worked(environ_of(scope, body), receive)
        finally:
            self._bodies.release(held)
        if answer is None:
            return
        if not answer.status:
            await send_problem(send, OUR_FAULT)
            return
        await self._send(answer, send)

    async def _worked(self, environ: Environ, receive: Any) -> _Answer | None:
        """The application's answer; ``None``: the sender disconnected before a thread was free."""
        context = contextvars.copy_context()
        work: Future[_Answer] = self._threads.submit(context.run, self._work, environ)
        leaving = asyncio.ensure_future(receive())  # the body is complete, so this can only be a disconnect
        try:
            waiting = asyncio.wrap_future(work)
            await asyncio.wait((leaving, waiting), return_when=asyncio.FIRST_COMPLETED)
            if not waiting.done() and work.cancel():
                return None
            return await waiting
        finally:
            leaving.cancel()

    def _work(self, environ: Environ) -> _Answer:
        """Run the application in a thread, for its whole answer. Nothing here waits for the sender."""
        answer = _Answer()
        try:
            said = self._application(environ, answer.start)
            try:
                answer.pieces.extend(said)
            finally:
                getattr(said, "close", lambda: None)()
        except Exception:
            log.exception("page_failed", path=environ["PATH_INFO"])
            return _Answer()
        return answer

    async def _send(self, answer: _Answer, send: Any) -> None:
        """Send the answer at the reader's own pace; one that reads too slowly is cut off."""
        content = b"".join(answer.pieces)
        answer.pieces.clear()
        if answer.status not in _WITHOUT_BODY and all(name != b"content-length" for name, _ in answer.headers):
            answer.headers.append((b"content-length", b"%d" % len(content)))
        transfer = Transfer(self._limits.pace)
        transfer.begin()
        self._answers.enter(transfer)
        try:
            self._answers.take(transfer, len(content))
            await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
            for begin in range(0, max(len(content), 1), PIECE):
                piece = content[begin : begin + PIECE]
                await send({"type": "http.response.body", "body": piece, "more_body": begin + PIECE < len(content)})
                transfer.moved(len(piece))
        except BodyRefused as refused:
            await send_problem(send, refused.problem)
        except asyncio.CancelledError:
            if not transfer.was_ended():
                raise
            log.info("answer_cut_off", status=answer.status, bytes=len(content))
        finally:
            transfer.finish()
            self._answers.leave(transfer)


def _announced(scope: dict[str, Any]) -> int:
    return announced_length(next((value for name, value in scope["headers"] if name == b"content-length"), b""))


def environ_of(scope: dict[str, Any], body: bytes) -> Environ:
    """The WSGI environment (PEP 3333) of a request whose body has arrived.

    A header with an underscore in its name is dropped: it would be mistaken for the one with a dash, which a proxy may
    have set.
    """
    host, port = scope.get("server") or ("localhost", 80)
    environ: Environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": scope["path"].encode().decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "SERVER_NAME": host,
        "SERVER_PORT": str(port or 0),
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    if client := scope.get("client"):
        environ["REMOTE_ADDR"], environ["REMOTE_PORT"] = client[0], str(client[1])
    for name, value in scope["headers"]:
        if name in _NOT_FOR_DJANGO or b"_" in name:
            continue
        text = name.decode("latin-1").upper().replace("-", "_")
        key = text if text == "CONTENT_TYPE" else f"HTTP_{text}"
        known = environ.get(key)
        given = value.decode("latin-1")
        joint = "; " if key == "HTTP_COOKIE" else ","
        environ[key] = given if known is None else f"{known}{joint}{given}"
    return environ
