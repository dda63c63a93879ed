"""Celery tasks of the door in, all in the low queue."""

from uuid import UUID

from celery import shared_task

from webhooks import retention
from webhooks.reprocessing import reprocess_many
from wedsync.database_errors import POSTGRES_AWAY


@shared_task(name="webhooks.prune")
def prune() -> None:
    """Forget what is past its time."""
    retention.forget()


@shared_task(name="webhooks.reprocess", autoretry_for=POSTGRES_AWAY, retry_backoff=1, max_retries=5)
def reprocess(receipt_ids: list[str]) -> None:
    """Reprocess some receipts; those that are done already are done no second time."""
    reprocess_many(map(UUID, receipt_ids))
