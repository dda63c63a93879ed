"""Celery tasks of the door in."""

from datetime import timedelta

from celery import shared_task
from django.db.models.functions import Now

from webhooks.models import DedupId

DEDUP_LIFE = timedelta(days=30)


@shared_task(name="webhooks.prune")
def prune() -> None:
    """Forget dedup ids after 30 days. spec.md, "Inbound"."""
    DedupId.objects.filter(received_at__lt=Now() - DEDUP_LIFE).delete()
