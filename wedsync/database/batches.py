"""Changes many rows, a thousand at a time, skipping locked ones."""

from typing import Any, TypeVar

from django.db import transaction
from django.db.models import Model, QuerySet

BATCH = 1_000  # rows in one statement
M = TypeVar("M", bound=Model)


def update_free(rows: QuerySet[M], **fields: Any) -> int:
    """Change at most a thousand of the rows; returns how many.

    Locked rows are skipped: waiting for a session that may be waiting for us would deadlock.
    """
    with transaction.atomic():
        free = rows.order_by().select_for_update(of=("self",), skip_locked=True, no_key=True)
        keys = list(free.values_list("pk", flat=True)[:BATCH])
        return rows.model._default_manager.filter(pk__in=keys).update(**fields) if keys else 0  # noqa: SLF001


def update_all(rows: QuerySet[M], *, batches: int | None = None, **fields: Any) -> int:
    """Change all the rows, each batch in its own commit where no transaction is open; returns how many.

    Arguments:
        rows: a query that changed rows no longer match.
        batches: the most batches; ``None``: until no row is left.
    """
    done = 0
    while batches is None or batches > 0:
        changed = update_free(rows, **fields)
        done += changed
        if changed < BATCH:
            break
        batches = None if batches is None else batches - 1
    return done
