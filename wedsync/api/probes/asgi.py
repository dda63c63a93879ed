"""``/livez``, ``/readyz`` and ``/metrics``, answered by the event loop itself.

They answer even if all page threads are busy, under any host name and without a redirect to https: load balancers and
monitors ask by the address of one process.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import psycopg2
import structlog

from wedsync.api.probes.metrics import MEDIA_TYPE, Metrics, may_look
from wedsync.database.async_connection import AsyncConnection
from wedsync.database.errors import write_refusals
from wedsync.web.answers import send_bytes, send_json, send_problem
from wedsync.web.draining import drain
from wedsync.wire.problems import Problem

log = structlog.get_logger(__name__)
ANSWER_WITHIN = 2.0  # seconds for PostgreSQL to answer
METRICS_WITHIN = 5.0
_RETRY = {"Retry-After": "5"}
_NOT_READ = Problem(405, "method-not-allowed", "Read it with GET.", headers={"Allow": "GET, HEAD"})
_AWAY = Problem(503, "storage-away", "PostgreSQL does not answer.", headers=_RETRY)
_READ_ONLY = Problem(503, "storage-read-only", "PostgreSQL does not accept writes now.", headers=_RETRY)
_ENDING = Problem(503, "process-ending", "This process is about to end.", headers=_RETRY)
_FULL = Problem(503, "storage-full", "PostgreSQL has no space left for writes.", headers=_RETRY)
_NOT_FOR_YOU = Problem(
    403, "forbidden", "Metrics are for this machine, or for the bearer of the token in WEDSYNC_METRICS_TOKEN."
)
_READY = """
SELECT current_setting('transaction_read_only') = 'on', EXISTS (SELECT FROM django_migrations)
"""


class Probes:
    """ASGI applications by their path."""

    def __init__(self) -> None:
        self._database = AsyncConnection()
        self._asking: asyncio.Task[Problem | None] | None = None
        self._metrics = Metrics()
        self._at: dict[str, Callable[[dict[str, Any], Any], Awaitable[None]]] = {
            "/livez": self._live,
            "/readyz": self._ready,
            "/metrics": self._measured,
        }

    def at(self, path: str) -> Any:
        """The application for a path; ``None``: there is no probe."""
        answers = self._at.get(path)
        if answers is None:
            return None

        async def probe(scope: dict[str, Any], receive: Any, send: Any) -> None:
            if scope["method"] in {"GET", "HEAD"}:
                await answers(scope, send)
            else:
                await send_problem(send, _NOT_READ)

        return probe

    async def _live(self, scope: dict[str, Any], send: Any) -> None:
        """Say that the process is running."""
        await send_json(send, 200, {"status": "live"})

    async def _ready(self, scope: dict[str, Any], send: Any) -> None:
        """Say whether the process can accept events: PostgreSQL must accept writes; Redis may be away.

        A process that is about to end still accepts them, but says no, so that balancers choose another one.
        """
        if drain.has_begun:
            await send_problem(send, _ENDING)
            return
        if self._asking is None or self._asking.done():
            self._asking = asyncio.get_running_loop().create_task(self._why_not_ready())
        problem = await asyncio.shield(self._asking)
        await (send_problem(send, problem) if problem else send_json(send, 200, {"status": "ready"}))

    async def _why_not_ready(self) -> Problem | None:
        """Why PostgreSQL would refuse; one query at a time, shared by all requests that arrive meanwhile."""
        try:
            async with asyncio.timeout(ANSWER_WITHIN):
                ((read_only, _),) = await self._database.fetch(_READY, ())
        except (TimeoutError, psycopg2.Error) as error:
            log.warning("not_ready", error=type(error).__name__, reason=str(error).strip())
            return _AWAY
        if write_refusals.are_recent:
            return _FULL
        return _READ_ONLY if read_only else None

    async def _measured(self, scope: dict[str, Any], send: Any) -> None:
        """The metrics in Prometheus' text format."""
        if not may_look(scope):
            await send_problem(send, _NOT_FOR_YOU)
            return
        content = await self._metrics.read(METRICS_WITHIN)
        await (send_problem(send, _AWAY) if content is None else send_bytes(send, 200, MEDIA_TYPE, content))
