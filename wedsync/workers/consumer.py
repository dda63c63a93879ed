"""Makes a worker reconnect as soon as its broker is back (docs/adr/0079)."""

from functools import partial
from typing import Any

from celery.worker.consumer import Consumer

FIRST_PAUSE, LONGER_BY, LONGEST_PAUSE = 0.2, 0.2, 1.0  # seconds between two tries


class EagerConsumer(Consumer):
    """Celery's consumer, but retrying at least every second; Celery itself pauses for 2, 4, 6 and up to 30 s."""

    def ensure_connected(self, conn: Any) -> Any:
        """Return once the broker answers."""
        conn.ensure_connection = partial(
            conn.ensure_connection, interval_start=FIRST_PAUSE, interval_step=LONGER_BY, interval_max=LONGEST_PAUSE
        )
        return super().ensure_connected(conn)
