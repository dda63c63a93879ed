"""Celery tasks of webhooks: providers' notices in the urgent and the high queue, the rest in the low one."""

from uuid import UUID

from celery import shared_task

from webhooks import retention
from webhooks.callbacks.applying import apply_waiting
from webhooks.vendor_events import emergency_alarms
from webhooks.vendor_events.reprocessing import reprocess_many
from wedsync.database.errors import POSTGRES_AWAY
from wedsync.queues import ALARM_TASK, TAKE_TASK, Priority


@shared_task(name="webhooks.prune")
def prune() -> None:
    """Delete expired rows."""
    retention.forget()


@shared_task(name="webhooks.reprocess", autoretry_for=POSTGRES_AWAY, retry_backoff=1, max_retries=5)
def reprocess(receipt_ids: list[str]) -> None:
    """Reprocess some receipts; repeating this does nothing."""
    reprocess_many(map(UUID, receipt_ids))


@shared_task(name=TAKE_TASK, autoretry_for=POSTGRES_AWAY, retry_backoff=1, max_retries=3)
def take(connection_id: str, queue: str) -> None:
    """Apply a connection's stored notices, each once."""
    apply_waiting(connection_id, Priority(queue))


@shared_task(name=ALARM_TASK, autoretry_for=POSTGRES_AWAY, retry_backoff=1, max_retries=3)
def alarm(receipt_ids: list[str]) -> None:
    """Tell staff of emergencies that were refused or are held, each once."""
    emergency_alarms.tell_each(map(UUID, receipt_ids))
