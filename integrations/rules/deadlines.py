"""How long a call may take, and how long its delivery belongs to the worker that makes it (docs/adr/0079)."""

from django.conf import settings

from wedsync.queues import Priority


def call_deadline(priority: Priority | str) -> float:
    """Seconds for the whole call."""
    return settings.URGENT_DEADLINE_SECONDS if priority == Priority.URGENT else settings.CALL_DEADLINE_SECONDS


def lease(priority: Priority | str) -> float:
    """Seconds from the claim until the sweep may reclaim the delivery; always longer than the call's deadline."""
    return settings.URGENT_LEASE_SECONDS if priority == Priority.URGENT else settings.LEASE_SECONDS


def question_deadline() -> float:
    """Seconds for a request that must precede a call; both together end before any lease does."""
    return min(max(lease(each) - call_deadline(each), 1.0) for each in Priority) / 2
