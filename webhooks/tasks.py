"""Celery tasks of the door in."""

from celery import shared_task

from webhooks import retention


@shared_task(name="webhooks.prune")
def prune() -> None:
    """Forget what is past its time."""
    retention.forget()
