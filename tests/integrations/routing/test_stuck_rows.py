"""A row that another session keeps locked costs the events that need it, and no others."""

import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from typing import Any

import psycopg2
import pytest
from django.db import connection, transaction
from django.utils import timezone

from integrations import tasks
from integrations.health.round import sweep_health
from integrations.models import Alert
from integrations.models.health import Cause
from integrations.routing import stuck_rows
from tests.factories import WeddingFactory
from tests.polling import until
from wedsync.database.sessions import ROUTING_PATIENCE_MILLISECONDS
from wedsync.live.log.writer import NewEvent, append
from wedsync.live.models import ChannelEvent
from wedsync.weddings.models import Wedding

pytestmark = pytest.mark.django_db(transaction=True)
Routing = ChannelEvent.Routing


@pytest.fixture(autouse=True)
def nothing_known() -> Iterator[None]:
    stuck_rows.known.forget()
    yield
    stuck_rows.known.forget()


def event_of(wedding: Wedding, guests: int = 120) -> ChannelEvent:
    new = NewEvent(
        wedding.organization_id,
        wedding.id,
        "guest_count.changed",
        {"guest_count": guests},
        timezone.now(),
        ChannelEvent.Source.API,
        [f"couple:dashboard:{wedding.id}"],
    )
    with transaction.atomic():
        (event,) = append([new])
    return event


@contextmanager
def locked(table: str, key: Any, *, busy: bool = False) -> Iterator[None]:
    """Another session that keeps the row locked. It stands still, or is at work all the time."""
    given = connection.get_connection_params()
    for name in ("cursor_factory", "client_encoding"):
        given.pop(name, None)
    with closing(psycopg2.connect(**given)) as other, other.cursor() as cursor:
        cursor.execute(f"SELECT 1 FROM {table} WHERE id = %s FOR UPDATE", [str(key)])
        assert cursor.fetchone()
        done = threading.Event()

        def work() -> None:
            while not done.wait(0.05):
                cursor.execute("SELECT 1")

        worker = threading.Thread(target=work)
        if busy:
            worker.start()
        yield
        done.set()
        if busy:
            worker.join()


def routings(*events: ChannelEvent) -> list[str]:
    found = dict(ChannelEvent.objects.values_list("id", "routing"))
    return [found[event.id] for event in events]


def test_events_of_other_weddings_in_the_same_message_are_routed() -> None:
    stuck, free = WeddingFactory(), WeddingFactory()
    first, second, third = event_of(stuck), event_of(stuck, 130), event_of(free)

    with locked("weddings_wedding", stuck.id):
        tasks.route([str(first.id), str(second.id), str(third.id)])

        assert routings(first, second, third) == [Routing.PENDING, Routing.PENDING, Routing.ROUTED]
        assert stuck_rows.known.is_known(stuck.id)
    tasks.route([str(first.id), str(second.id)])
    assert routings(first, second) == [Routing.ROUTED, Routing.ROUTED]


def test_events_of_other_weddings_in_the_same_message_come_first() -> None:
    stuck, free = WeddingFactory(), WeddingFactory()
    first, second = event_of(stuck), event_of(free)
    message = threading.Thread(target=_routed_elsewhere, args=([str(first.id), str(second.id)],))

    with locked("weddings_wedding", stuck.id):
        message.start()
        until(lambda: routings(second) == [Routing.ROUTED], what="the event of the other wedding")

        assert message.is_alive(), "it still waits for the locked row"
        assert routings(first) == [Routing.PENDING]
    message.join()
    assert routings(first) == [Routing.ROUTED], "the row was free within its patience"


def _routed_elsewhere(ids: list[str]) -> None:
    tasks.route(ids)
    connection.close()


@pytest.mark.parametrize("table", ["live_channelevent", "weddings_wedding"])
def test_a_locked_row_is_told_and_never_counts_as_a_failure_of_the_event(table: str) -> None:
    wedding = WeddingFactory()
    event = event_of(wedding)

    with locked(table, event.id if table == "live_channelevent" else wedding.id):
        tasks.route([str(event.id)])

    event.refresh_from_db()
    assert (event.routing, event.routing_failures) == (Routing.PENDING, 0)
    alert = Alert.objects.get(cause=Cause.ROW_LOCKED)
    assert (alert.organization_id, alert.about, alert.resolved_at) == (wedding.organization_id, str(wedding.id), None)
    assert "pg_stat_activity" in alert.text


def test_where_others_of_the_wedding_were_routed_just_now_nobody_is_taken_for_stuck() -> None:
    wedding = WeddingFactory()
    first, second = event_of(wedding), event_of(wedding, 130)
    tasks.route([str(first.id)])

    with locked("weddings_wedding", wedding.id, busy=True):
        tasks.route([str(second.id)])

    assert routings(first, second) == [Routing.ROUTED, Routing.PENDING]
    assert not stuck_rows.known.is_known(wedding.id)
    assert not Alert.objects.exists()


def test_a_session_that_stands_still_is_stuck_whatever_was_routed_before_it_froze() -> None:
    wedding = WeddingFactory()
    first, second, third = event_of(wedding), event_of(wedding, 130), event_of(wedding, 140)
    tasks.route([str(first.id)])

    with locked("weddings_wedding", wedding.id):
        tasks.route([str(second.id)])
        began = time.monotonic()
        tasks.route([str(third.id)])
        took = time.monotonic() - began

    assert routings(first, second, third) == [Routing.ROUTED, Routing.PENDING, Routing.PENDING]
    assert stuck_rows.known.is_known(wedding.id)
    assert Alert.objects.filter(cause=Cause.ROW_LOCKED).exists()
    assert took < ROUTING_PATIENCE_MILLISECONDS / 1000, "the third only looked in passing"


def test_the_alert_ends_when_no_event_has_met_the_row_for_a_minute() -> None:
    wedding = WeddingFactory()
    event = event_of(wedding)
    with locked("weddings_wedding", wedding.id):
        tasks.route([str(event.id)])

    sweep_health()
    assert Alert.objects.filter(cause=Cause.ROW_LOCKED, resolved_at=None).exists()

    Alert.objects.update(last_at=timezone.now() - timedelta(minutes=2))
    sweep_health()
    assert not Alert.objects.filter(cause=Cause.ROW_LOCKED, resolved_at=None).exists()
