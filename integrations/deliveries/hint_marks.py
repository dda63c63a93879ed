"""Marks on rows that a round of the sweep has hinted, and their removal if the hint was not sent."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from wedsync.live.fan_out import hints
from wedsync.live.fan_out.hints import TaskHint

BATCH = 200
FULL_QUEUE = 2 * BATCH


class Mark(NamedTuple):
    """When a row was hinted, and when it was hinted before that."""

    id: UUID
    made: datetime
    before: datetime | None


def send_or_unmark(marks: Mapping[TaskHint, Mark], unmark: str) -> int:
    """Send hints; returns how many were sent.

    A row whose hint was not sent loses its mark, so that the next round, of this sweep or another, hints it again.

    Arguments:
        unmark: a statement that gives the rows ``ids``, if they still bear ``marks``, their earlier marks ``before``.
    """
    unsent = [marks[hint] for hint in hints.send_now(list(marks))]
    if unsent:
        ids, made, before = zip(*unsent, strict=True)
        with connection.cursor() as cursor:
            cursor.execute(unmark, {"ids": list(ids), "marks": list(made), "before": list(before)})
    return len(marks) - len(unsent)


def open_queues() -> list[str]:
    """The queues that are not full: more messages for the same rows would only slow down a slow queue.

    Empty while Redis does not answer: a sweep that can reach it will hint the rows.
    """
    lengths = hints.queue_lengths()
    return [] if lengths is None else [name for name, length in lengths.items() if length < FULL_QUEUE]
