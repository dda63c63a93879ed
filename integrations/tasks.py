"""Celery tasks of the deliveries: load by id, call the verb, map its error to a retry (docs/adr/0002)."""

from typing import Any
from uuid import UUID

import structlog
from celery import shared_task
from celery.contrib.django.task import DjangoTask
from django.conf import settings
from django.db import OperationalError

from integrations import deliveries, health, routing
from integrations.deliveries import TryAgain
from wedsync.queues import DELIVER_TASK, ROUTE_TASK

log = structlog.get_logger(__name__)


class RowDecidesWhen(DjangoTask):  # type: ignore[type-arg]  # not subscriptable at run time
    """Celery's autoretry, with the wait that the delivery's row says: ``retry.next_delay`` has put it there."""

    def retry(self, *args: Any, **options: Any) -> Any:
        """Retry at the row's time instead of Celery's own exponential one."""
        if isinstance(error := options.get("exc"), TryAgain):
            options["countdown"] = error.delay
        return super().retry(*args, **options)


@shared_task(name=ROUTE_TASK, autoretry_for=(OperationalError,), retry_backoff=1, max_retries=3)
def route(event_ids: list[str]) -> None:
    """Route events, each in a transaction of its own; one that breaks keeps nothing from the others.

    PostgreSQL may have to be asked again, after a deadlock or a restart; what is routed already is not routed twice.
    """
    for event_id in map(UUID, event_ids):
        try:
            routing.route(event_id)
        except OperationalError:
            raise
        except Exception:
            log.exception("event_not_routed", event_id=str(event_id))
            routing.give_up(event_id)


@shared_task(
    name=DELIVER_TASK,
    base=RowDecidesWhen,
    autoretry_for=(TryAgain,),
    retry_backoff=1,
    retry_backoff_max=8,
    retry_jitter=False,
    max_retries=len(settings.RETRY_QUICK_SECONDS),
    throws=(TryAgain,),
)
def deliver(delivery_id: str) -> None:
    """Try one delivery.

    Celery needs a backoff to retry by itself; :class:`RowDecidesWhen` replaces its seconds.
    """
    deliveries.deliver(UUID(delivery_id))


@shared_task(name="integrations.health_sweep")
def health_sweep() -> None:
    """Rate all systems; beat asks for it, and a round that is missed is made up for by the next."""
    health.sweep()
