"""Deletes expired rows in small steps, so that none holds locks for long."""

from typing import Any

from django.db.models import QuerySet

BATCH = 1_000  # rows in one statement


def delete_in_steps(rows: QuerySet[Any], *, along: str) -> int:
    """Delete the rows along an indexed column; returns how many.

    Each step begins where the last one ended, so that none reads dead rows again. A row that no longer matches when its
    turn comes is kept.
    """
    gone = 0
    reached: object = None
    while True:
        following = rows if reached is None else rows.filter(**{f"{along}__gte": reached})
        batch = list(following.order_by(along).values_list("pk", along)[:BATCH])
        if not batch:
            return gone
        gone += rows.filter(pk__in=[key for key, _ in batch]).delete()[0]
        reached = batch[-1][1]
