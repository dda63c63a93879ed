"""``GET /metrics`` for Prometheus: who may read it, and its content."""

import asyncio
import hmac
import ipaddress
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError, close_old_connections
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from integrations.health.metrics import registry
from wedsync.live import metrics as live

log = structlog.get_logger(__name__)
MEDIA_TYPE = CONTENT_TYPE_LATEST.encode()
FORWARDED = {b"forwarded", b"via", b"x-real-ip", b"x-client-ip", b"x-cluster-client-ip", b"true-client-ip"}
FORWARDED_PREFIXES = b"x-forwarded", b"cf-"


def may_look(scope: dict[str, Any]) -> bool:
    """Whether a request may read metrics: by the token; where none is set, if it comes directly from this machine."""
    if token := settings.METRICS_TOKEN:
        given = [value for name, value in scope["headers"] if name == b"authorization"]
        scheme, _, text = (given[0] if len(given) == 1 else b"").partition(b" ")
        return scheme.lower() == b"bearer" and hmac.compare_digest(text.strip(), token.encode())
    names = [name for name, _ in scope["headers"]]
    passed_on = any(name in FORWARDED or name.startswith(FORWARDED_PREFIXES) for name in names)
    return _is_local(scope.get("client")) and not passed_on


def _is_local(client: tuple[str, int] | None) -> bool:
    try:
        address = ipaddress.ip_address(client[0] if client else "")
    except ValueError:
        return False
    mapped = address.ipv4_mapped if address.version == 6 else None
    return (mapped or address).is_loopback


class Metrics:
    """Collects in its own thread with its own connection; requests that arrive meanwhile share the result."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="metrics")
        self._collecting: asyncio.Future[bytes | None] | None = None

    async def read(self, within: float) -> bytes | None:
        """The metrics as text; ``None``: PostgreSQL did not answer.

        Arguments:
            within: seconds. A collection that takes longer continues, and no other is started meanwhile.
        """
        if self._collecting is None or self._collecting.done():
            self._collecting = asyncio.get_running_loop().run_in_executor(self._thread, _collect)
        try:
            return await asyncio.wait_for(asyncio.shield(self._collecting), within)
        except TimeoutError:
            return None


def _collect() -> bytes | None:
    close_old_connections()
    try:
        return generate_latest(registry) + generate_latest(live.registry)
    except (DatabaseError, InterfaceError) as error:
        log.warning("metrics_not_collected", error=type(error).__name__)
        return None
    finally:
        close_old_connections()
