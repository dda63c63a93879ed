"""What the rounds of the sweep have in common: rows that are due are processed one by one."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import structlog
from django.db.models import Model, QuerySet

from wedsync import correlation
from wedsync.database.errors import POSTGRES_AWAY

log = structlog.get_logger(__name__)
BATCH = 50


def work_off(
    due: QuerySet[Model], work: Callable[[UUID], bool], *, broken: str, requests: str, batch: int = BATCH, **later: Any
) -> int:
    """Do a round's work for each row, one batch at most; returns for how many rows there was anything to do.

    A row whose work fails must not keep the others waiting: it is logged, and tried later if it is still due.

    Arguments:
        broken: the log event for a failure.
        requests: the lookup from a row to the correlation id of its event or events.
        later: what postpones a failed row, such as ``next_step_at=Now() + RETRY``; without it the next round retries.

    Raises:
        OperationalError, InterfaceError: PostgreSQL is away.
    """
    done = 0
    for row_id in list(due.values_list("pk", flat=True)[:batch]):
        with correlation.of_many(_ids_of(due, row_id, requests)):
            try:
                done += work(row_id)
            except POSTGRES_AWAY:
                raise
            except Exception:
                log.exception(broken, row=str(row_id))
                if later:
                    due.filter(pk=row_id).update(**later)
    return done


def _ids_of(due: QuerySet[Model], row_id: UUID, requests: str) -> list[UUID]:
    rows = due.model._default_manager.filter(pk=row_id, **{f"{requests}__isnull": False})  # noqa: SLF001
    return list(rows.values_list(requests, flat=True)[: correlation.MOST_NAMED])
