"""Marks on rows that a round of the sweep has hinted, and their removal where the hint did not leave."""

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
    """When a row was hinted, and when before that."""

    id: UUID
    made: datetime
    before: datetime | None


def send_or_unmark(marks: Mapping[TaskHint, Mark], unmark: str) -> int:
    """Send hints; returns how many left.

    What did not leave loses its mark: the next round, of this sweep or another, takes it again at once.

    Arguments:
        unmark: a statement that gives the rows ``ids``, if they still bear ``marks``, the marks of ``before``.
    """
    unsent = [marks[hint] for hint in hints.send_now(list(marks))]
    if unsent:
        ids, made, before = zip(*unsent, strict=True)
        with connection.cursor() as cursor:
            cursor.execute(unmark, {"ids": list(ids), "marks": list(made), "before": list(before)})
    return len(marks) - len(unsent)


def open_queues() -> list[str]:
    """The queues that are not full already: more messages for the same rows would make a slow queue slower.

    Empty while Redis does not answer: the rows are left to a sweep that can reach it.
    """
    lengths = hints.queue_lengths()
    return [] if lengths is None else [name for name, length in lengths.items() if length < FULL_QUEUE]
