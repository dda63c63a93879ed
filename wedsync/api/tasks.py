"""Celery tasks of the API, in the low queue."""

from celery import shared_task

from wedsync.api.base_views import idempotency


@shared_task(name="api.forget_requests")
def forget_requests() -> None:
    """Delete stored answers that are more than a day old."""
    idempotency.forget()
