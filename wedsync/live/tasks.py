"""Celery tasks of the live channels."""

from celery import shared_task

from wedsync.live.access import tickets
from wedsync.live.log import retention


@shared_task(name="live.prune_tickets")
def prune_tickets() -> None:
    """Delete expired tickets."""
    tickets.prune()


@shared_task(name="live.prune_log")
def prune_log() -> None:
    """Drop the entries that organizations no longer keep."""
    retention.prune()
