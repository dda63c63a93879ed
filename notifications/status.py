"""A message's own status, merged by rank: what comes late, twice or out of order never moves it back."""

from datetime import datetime

from django.db.models import F, QuerySet
from django.db.models.functions import Coalesce

from notifications.models import Message

Status = Message.Status
_TIMES = {Status.SENT: "sent_at", Status.FAILED: "failed_at", Status.DELIVERED: "delivered_at", Status.READ: "read_at"}


def merge(rows: QuerySet[Message], status: Message.Status, at: datetime) -> int:
    """Move the rows up to ``status``, where they are below it; returns how many. Each status keeps its first time."""
    if name := _TIMES.get(status):
        rows.update(**{name: Coalesce(F(name), at)})
    return rows.filter(status__in=status.below).update(status=status)
