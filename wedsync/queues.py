"""The four priorities, each with a Celery queue, and the names of tasks that lower layers send hints to.

One queue and one group of workers per priority, never the broker's own priority field (docs/adr/0003).
"""

from django.db import models

QUEUE_PREFIX = "wedsync:celery:"  # prefix of Celery's keys in Redis
ROUTE_TASK = "integrations.route"
DELIVER_TASK = "integrations.deliver"
TAKE_TASK = "webhooks.take"
WATCH_TASK = "integrations.watch"
ALARM_TASK = "webhooks.alarm"


class Priority(models.TextChoices):
    """How soon something must go out; also the name of its queue. docs/developers/event-types.md."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"

    @property
    def rank(self) -> int:
        """0 for low up to 3 for urgent."""
        return list(Priority).index(self)
