"""A worker's copy of systems, at most a second old, since each call needs one and they rarely change.

A system's state must take effect immediately, so it is read with each claim.
"""

import threading
import time
from uuid import UUID

from integrations.models import System

SECONDS = 1.0
MOST = 10_000

_lock = threading.Lock()
_known: dict[UUID, tuple[float, System]] = {}


def find(system_id: UUID) -> System | None:
    """A system, at most a second old; ``None``: it is deleted."""
    now = time.monotonic()
    known = _known.get(system_id)
    if known is not None and now - known[0] < SECONDS:
        return known[1]
    found = System.objects.filter(id=system_id).first()
    with _lock:
        if len(_known) >= MOST:
            _known.clear()
        if found is not None:
            _known[system_id] = now, found
        else:
            _known.pop(system_id, None)
    return found
