"""The one way in which a delivery changes its state: a conditional write along the allowed transitions."""

from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.db.models.functions import Now

from integrations.models import Delivery
from integrations.states import FINISHED, Reason, State, sources_of


def move(rows: QuerySet[Delivery], to: State, reason: Reason = Reason.NONE, **fields: Any) -> int:
    """Move those rows from which ``to`` may be reached; returns how many. ``fields``: what is written along.

    A row that leaves ``in_flight`` gives its lease back; one that is finished notes the time.
    """
    if to != State.IN_FLIGHT:
        fields = {"lease_token": None, "lease_until": None, **fields}
    if to in FINISHED:
        fields["finished_at"] = Now()
    return rows.filter(state__in=sources_of(to)).update(state=to, state_reason=reason, **fields)


def due_in(seconds: float) -> Any:
    """A due time, on PostgreSQL's clock."""
    return Now() + timedelta(seconds=seconds)
