"""The status of a message: merged by rank, so that a late, repeated or out-of-order status never lowers it."""

from datetime import datetime

from django.db.models import F, QuerySet
from django.db.models.functions import Least

from notifications.models import Message

Status = Message.Status
TIMES = {Status.SENT: "sent_at", Status.FAILED: "failed_at", Status.DELIVERED: "delivered_at", Status.READ: "read_at"}
"""The column for the time of each status."""


def merge(rows: QuerySet[Message], status: Message.Status, at: datetime) -> int:
    """Raise the rows to ``status`` where they are below it; returns how many. Each status keeps its earliest time."""
    if name := TIMES.get(status):
        rows.update(**{name: Least(F(name), at)})  # PostgreSQL's LEAST passes over NULL
    return rows.filter(status__in=status.below).update(status=status)
