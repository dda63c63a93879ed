"""Makes a worker that has gone deaf notice it and reconnect to the broker (docs/adr/0036).

Celery takes at most as many messages as it has threads, and takes the next when one is acknowledged. If the broker
dies while all of them wait for that, each acknowledgement fails, Kombu logs it and forgets it, and the count stays full
forever: the worker no longer reads anything, never notices the broken connection, and lives on.
"""

from typing import Any

import structlog
from celery import bootsteps
from celery.worker import state

log = structlog.get_logger(__name__)
LOOK_SECONDS = 1.0
LOOKS = 3
"""How often in a row it must look deaf, since an acknowledgement passes through the event loop."""


def looks_deaf(*, may_take: bool, at_work: int) -> bool:
    """Whether a worker takes no messages although it is working on none.

    Arguments:
        may_take: whether its count of unacknowledged messages allows another.
        at_work: how many messages it is really working on.
    """
    return not may_take and not at_work


class BrokerWatch(bootsteps.StartStopStep):
    """A step of Celery's consumer that checks every second, as long as one connection lasts."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def register_with_event_loop(self, consumer: Any, hub: Any) -> None:
        """Called by Celery each time it has connected; Celery drops the timer when that connection ends."""
        self._deaf = 0
        hub.call_repeatedly(LOOK_SECONDS, self.look, consumer)

    def look(self, consumer: Any) -> None:
        """Check once.

        Raises:
            ConnectionError: the worker is deaf; Celery treats this as a lost connection and reconnects.
        """
        may_take = consumer.task_consumer is None or consumer.task_consumer.channel.qos.can_consume()
        self._deaf = self._deaf + 1 if looks_deaf(may_take=may_take, at_work=len(state.reserved_requests)) else 0
        if self._deaf >= LOOKS:
            self._deaf = 0
            log.error("worker_deaf")
            raise ConnectionError("no message can be taken, although none is being worked on")
