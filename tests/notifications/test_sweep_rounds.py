"""A round's rows are worked off one by one, and a broken one keeps the round from no other."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from django.db import OperationalError
from django.db.models import QuerySet
from django.db.models.functions import Now

from notifications import sweep_rounds
from notifications.models import Incident
from tests.factories import EventFactory, WeddingFactory

pytestmark = pytest.mark.django_db


def due() -> QuerySet[Incident]:
    return Incident.objects.filter(staff_due_at__lte=Now()).order_by("staff_due_at")


@pytest.fixture
def three() -> list[UUID]:
    made = []
    for minutes in (3, 2, 1):
        wedding = WeddingFactory()
        event = EventFactory(organization=wedding.organization, wedding=wedding)
        incident = Incident(
            organization=wedding.organization, wedding=wedding, event=event, kind="fire", opened_by="Tom",
            told_at=event.received_at, staff_due_at=Now() - timedelta(minutes=minutes),
        )  # fmt: skip
        incident.save()
        made.append(incident.id)
    return made


def test_a_row_that_breaks_is_postponed_and_the_others_are_done(three: list[UUID]) -> None:
    done: list[UUID] = []

    def work(row_id: UUID) -> bool:
        if row_id == three[0]:
            raise ValueError("broken")
        done.append(row_id)
        return row_id != three[2]

    assert (
        sweep_rounds.work_off(
            due(),
            work,
            broken="staff_not_called",
            requests="event__correlation_id",
            staff_due_at=Now() + timedelta(minutes=1),
        )
        == 1
    )

    assert done == three[1:]
    assert set(due().values_list("id", flat=True)) == set(three[1:])


def test_without_a_later_time_the_next_round_tries_again(three: list[UUID]) -> None:
    def work(row_id: UUID) -> bool:
        raise ValueError("broken")

    assert sweep_rounds.work_off(due(), work, broken="staff_not_called", requests="event__correlation_id") == 0
    assert due().count() == 3


def test_a_round_takes_a_batch_of_those_that_are_due_for_longest(three: list[UUID]) -> None:
    done: list[UUID] = []

    def work(row_id: UUID) -> bool:
        done.append(row_id)
        return True

    assert sweep_rounds.work_off(due(), work, broken="staff_not_called", requests="event__correlation_id", batch=2) == 2
    assert done == three[:2]


def test_a_database_that_is_away_ends_the_round(three: list[UUID]) -> None:
    def work(row_id: UUID) -> bool:
        raise OperationalError("gone")

    with pytest.raises(OperationalError):
        sweep_rounds.work_off(
            due(), work, broken="staff_not_called", requests="event__correlation_id", staff_due_at=None
        )
    assert due().count() == 3
