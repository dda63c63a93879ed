"""What the rounds of the sweep have in common: rows whose time has come are worked off one by one."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import structlog
from django.db.models import Model, QuerySet

from wedsync.database_errors import POSTGRES_AWAY

log = structlog.get_logger(__name__)
BATCH = 50


def work_off(
    due: QuerySet[Model], work: Callable[[UUID], bool], *, broken: str, batch: int = BATCH, **later: Any
) -> int:
    """Do a round's work for each row, at most a batch; returns for how many there was anything to do.

    A row that breaks must not keep the round from the others: it is logged, and comes later where it is due still.

    Arguments:
        broken: the line in the log.
        later: what postpones a row, such as ``next_step_at=Now() + RETRY``; without it the next round tries again.

    Raises:
        OperationalError, InterfaceError: PostgreSQL is away.
    """
    done = 0
    for row_id in list(due.values_list("pk", flat=True)[:batch]):
        try:
            done += work(row_id)
        except POSTGRES_AWAY:
            raise
        except Exception:
            log.exception(broken, row=str(row_id))
            if later:
                due.filter(pk=row_id).update(**later)
    return done
