"""Celery tasks: load by id, call the verb, map its error to a retry (docs/adr/0002)."""

from typing import Any
from uuid import UUID

import structlog
from celery import Task, shared_task
from celery.contrib.django.task import DjangoTask
from django.conf import settings

from integrations.admission import breakers
from integrations.health import watchdog
from integrations.health.round import sweep_health
from integrations.models import System
from integrations.remote_reads import client_sync
from integrations.routing import route_event, stuck_rows
from integrations.sending import dispatch
from integrations.sending.dispatch import TryAgain
from wedsync import correlation
from wedsync.database.errors import POSTGRES_AWAY, lock_is_held
from wedsync.database.sessions import ROUTING_PATIENCE_MILLISECONDS
from wedsync.live.fan_out import hints
from wedsync.queues import DELIVER_TASK, ROUTE_TASK, WATCH_TASK, Priority

log = structlog.get_logger(__name__)


class RowDecidesWhen(DjangoTask):  # type: ignore[type-arg]  # not subscriptable at run time
    """Celery's autoretry with the delay from the delivery's row, where ``retry.next_delay`` has put it."""

    def retry(self, *args: Any, **options: Any) -> Any:
        """Retry at the row's time instead of Celery's own exponential one."""
        if isinstance(error := options.get("exc"), TryAgain):
            options["countdown"] = error.delay
        return super().retry(*args, **options)


@shared_task(name=ROUTE_TASK, autoretry_for=POSTGRES_AWAY, retry_backoff=1, max_retries=3)
def route(event_ids: list[str]) -> None:
    """Route events, each in its own transaction; one that fails does not stop the others.

    After a deadlock or a restart of PostgreSQL the task is retried; routed events are not routed twice. An event that
    needs a row that another session keeps locked is tried after the others of its message. If it waits in vain again,
    it is left to the sweep.
    """
    ids = [UUID(event_id) for event_id in event_ids]
    if len(ids) > 1:
        ids = [event_id for event_id in ids if not _is_routed(event_id, stuck_rows.BESIDE_OTHERS_MILLISECONDS)]
    for event_id in ids:
        if not _is_routed(event_id, ROUTING_PATIENCE_MILLISECONDS):
            stuck_rows.alert(event_id)


def _is_routed(event_id: UUID, patience_milliseconds: int) -> bool:
    """Route an event; ``False``: another session kept a row locked for too long."""
    try:
        route_event.route(event_id, patience_milliseconds=patience_milliseconds)
    except POSTGRES_AWAY as error:
        if lock_is_held(error):
            return False
        raise
    except Exception:
        with correlation.of_stored(route_event.correlation_id_of(event_id)):
            log.exception("event_not_routed", event_id=str(event_id))
            route_event.give_up(event_id)
    return True


@shared_task(
    name=DELIVER_TASK,
    base=RowDecidesWhen,
    bind=True,
    autoretry_for=(TryAgain,),
    retry_backoff=1,
    retry_backoff_max=8,
    retry_jitter=False,
    max_retries=len(settings.RETRY_QUICK_SECONDS),
    throws=(TryAgain,),
)
def deliver(self: Task, delivery_id: str | None, system_id: str | None = None) -> None:  # type: ignore[type-arg]
    """Try one delivery, or with ``None`` whatever is due for the system; then others due for the same target.

    Celery requires a backoff for its own retries; :class:`RowDecidesWhen` replaces its seconds.
    """
    queue = (self.request.delivery_info or {}).get("routing_key")
    if system_id and queue and not self.request.eta:
        hints.taken(queue, system_id)
    dispatch.serve(
        UUID(delivery_id) if delivery_id else None,
        UUID(system_id) if system_id else None,
        urgent=queue == Priority.URGENT,
    )


@shared_task(name="integrations.prune_breaker_changes")
def prune_breaker_changes() -> None:
    """Delete old changes of breakers."""
    breakers.forget_old()


@shared_task(name=WATCH_TASK)
def watch() -> None:
    """Tell the outside watchdog that urgent work gets done."""
    watchdog.call()


@shared_task(name="integrations.health_sweep")
def health_sweep() -> None:
    """Rate all systems. Started by beat; a missed round is made up for by the next."""
    sweep_health()


@shared_task(name="integrations.sync_clients")
def sync_clients() -> None:
    """Start a run for each system, so that a slow system does not delay the others."""
    for system in client_sync.readable():
        sync_clients_of.delay(str(system.id))


@shared_task(name="integrations.sync_clients_of")
def sync_clients_of(system_id: str) -> None:
    """One run for one system; the next run reads what is left."""
    system = System.objects.filter(id=UUID(system_id), state=System.Status.ACTIVE).first()
    if system is not None and client_sync.can_be_read(system):
        client_sync.sync(system)
