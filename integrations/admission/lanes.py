"""The lane of a target, which its limits apply to."""

import math
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID

from integrations.accounts.rules import Rate
from integrations.models import System
from integrations.registry.accounts import account_of
from wedsync.env import ConfigurationError

CALL_LIMIT = 4
KEPT_FOR_URGENT = 0.2  # of the bucket
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Lane:
    """One target: its breaker, its calls in flight, its token bucket.

    ``breaker_key``: the system, or for signed webhooks the host, within one organization.
    ``call_limit``: the most calls in flight; urgent deliveries have the same number on top.
    ``rate``: calls per second, ``None`` for no limit. ``burst``: how many may be made together after a pause.
    """

    system_id: UUID
    breaker_key: str
    call_limit: int
    rate: float | None
    burst: int

    @property
    def kept(self) -> int:
        """How many tokens are reserved for urgent deliveries. A bucket of one reserves none."""
        return math.ceil(self.burst * KEPT_FOR_URGENT) if self.burst > 1 else 0


def lane_of(system: System) -> Lane:
    """The lane of a system."""
    published, burst = published_rate(system) or (None, None)
    rate: float | None = system.rate_per_second or published
    if system.rate_per_second or burst is None:
        burst = max(2, math.ceil(rate or 0))
    return Lane(
        system_id=system.id,
        breaker_key=_breaker_key(system),
        call_limit=system.call_limit or CALL_LIMIT,
        rate=rate,
        burst=system.rate_burst or burst,
    )


def published_rate(system: System) -> Rate | None:
    """The published rate of the provider in use, if any."""
    rules = account_of(system.kind)
    try:
        return rules.rate(lambda: system.credentials)
    except ConfigurationError:  # the call will say so
        return rules.rate(dict)


def _breaker_key(system: System) -> str:
    """Webhooks of one organization to the same host share a breaker, since it is the host that fails."""
    if system.kind != System.Kind.WEBHOOK:
        return str(system.id)
    try:
        parts = urlsplit(system.base_url)
        host, port = (parts.hostname or "").rstrip("."), parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:  # never a target; the call will say so
        return str(system.id)
    return f"{system.organization_id}:host:{host}:{port}"
