"""Celery tasks of the live channels."""

from celery import shared_task

from wedsync.live.access import tickets


@shared_task(name="live.prune_tickets")
def prune_tickets() -> None:
    """Delete expired tickets."""
    tickets.prune()
