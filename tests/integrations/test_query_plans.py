"""What runs each second or minute reads few rows, however many there are: proven with EXPLAIN at 200 000 of each."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.db.models import Model
from django.utils import timezone

from integrations.health import heartbeats
from integrations.health.heartbeats import Part
from integrations.health.round import sweep_health
from integrations.models import Alert, Attempt, Delivery, System
from integrations.routing import repetitions
from integrations.states import Reason
from integrations.sweep import sweep
from notifications.models import Incident, Message, Notification, Sending
from tests.factories import (
    AlertFactory,
    ConnectionFactory,
    DeliveryFactory,
    EntryFactory,
    EventFactory,
    ExternalReferenceFactory,
    IncidentFactory,
    MessageFactory,
    NoticeFactory,
    NotificationFactory,
    SystemFactory,
)
from webhooks.models import ProviderNotice, Receipt
from wedsync.ids import new_id
from wedsync.live.log.reader import ChannelKey, entries_after, last_sequences
from wedsync.live.models import Channel, ChannelEntry, ChannelEvent

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(600)]
MANY = 200_000
FEW = 5_000
"""Rows that one node of a plan may read; an unlinked event is looked at 500 at a time."""
OLD_ID = "uuidv7(-interval '2 days' - n * interval '1 second')"


def multiply(model: type[Model], **different: str) -> None:
    """Fill a table with copies of its one row. ``different``: expressions of ``n`` for columns that must differ."""
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = %s AND is_generated = 'NEVER'"
            " AND is_identity = 'NO'",
            [table],
        )
        columns = [name for (name,) in cursor.fetchall()]
        values = [different.get(name, OLD_ID if name == "id" else f"one.{name}") for name in columns]
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)}"
            f" FROM (SELECT * FROM {table} ORDER BY 1 DESC LIMIT 1) AS one, generate_series(1, {MANY}) AS n"
        )


@contextmanager
def without_triggers() -> Iterator[None]:
    """The copies are of rows that keep all foreign keys."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        yield
        cursor.execute("SET session_replication_role = origin")
        cursor.execute("ANALYZE")


@pytest.fixture
def quiet() -> None:
    """Years of what is done with: nothing waits."""
    past = timezone.now() - timedelta(days=2)
    delivery = DeliveryFactory(state="succeeded", finished_at=past)
    Attempt.objects.create(delivery=delivery, number=1, started_at=past, milliseconds=9, outcome="succeeded")
    ConnectionFactory(organization=delivery.organization)
    AlertFactory(resolved_at=past)
    EntryFactory()
    MessageFactory()
    NoticeFactory(taken_at=past)
    notification = NotificationFactory(state="reached", look_at=None)
    Sending.objects.create(notification=notification, delivery=delivery)
    IncidentFactory(state="resolved")
    ExternalReferenceFactory()
    ChannelEvent.objects.update(received_at=past, routing="routed")
    Delivery.objects.update(state="succeeded", finished_at=past)
    with without_triggers():
        multiply(ChannelEvent)
        multiply(Channel, name="'supplier:dashboard:n' || n")
        multiply(ChannelEntry, sequence="n + 1", event_id=OLD_ID)
        multiply(Delivery, dedupe_key="'copy ' || n")
        multiply(Attempt, number="n + 1")
        multiply(Alert)
        multiply(Message, delivery_id=OLD_ID)
        multiply(Receipt)
        multiply(ProviderNotice, provider_id="'wamid.copy' || n")
        multiply(Notification, recipient="'copy ' || n")
        multiply(Sending, delivery_id=OLD_ID)
        multiply(Incident, event_id=OLD_ID)


@pytest.fixture
def waiting() -> None:
    """What is to wait: held by a paused connection or system, unlinked, or due tomorrow."""
    paused = ConnectionFactory(state="paused")
    tomorrow = timezone.now() + timedelta(days=1)
    EventFactory(organization=paused.organization, routing="held", source_connection_id=paused.id)
    system = SystemFactory(state="paused")
    with without_triggers():
        multiply(ChannelEvent)
    EventFactory(routing="unlinked", wedding=None, effect="pending", payload={"booking_id": "BK-1"})
    DeliveryFactory(
        organization=system.organization, system=system, state="held", state_reason="system_paused",
        next_attempt_at=tomorrow, expires_at=tomorrow, finished_at=None,
    )  # fmt: skip
    with without_triggers():
        multiply(ChannelEvent)
        multiply(Delivery, dedupe_key="'paused ' || n")
    DeliveryFactory(state="scheduled", next_attempt_at=tomorrow, expires_at=tomorrow, finished_at=None)
    with without_triggers():
        multiply(Delivery, dedupe_key="'tomorrow ' || n")


@pytest.fixture
def busy_minutes() -> tuple[ChannelEvent, System]:
    """An event that repeats what a system was told. Its wedding has years of events, others have many of just now."""
    lately = "uuidv7(-interval '1 minute' - n * interval '1 millisecond')"
    system = SystemFactory(kind="venue_master")
    earlier = EventFactory(
        organization=system.organization, type="guest_count.changed", payload={"guest_count": 120},
        source_system_id=new_id(),
    )  # fmt: skip
    delivery = DeliveryFactory(organization=system.organization, system=system, event=earlier, state="succeeded")
    with without_triggers():
        multiply(ChannelEvent)
        multiply(ChannelEvent, id=lately, wedding_id="gen_random_uuid()")
        multiply(Delivery, dedupe_key="'copy ' || n", event_id=lately)
    told = EventFactory(
        organization=system.organization, wedding=earlier.wedding, type=earlier.type, payload=earlier.payload,
        source_system_id=new_id(),
    )  # fmt: skip
    DeliveryFactory(organization=system.organization, system=delivery.system, event=told, state="succeeded")
    again = EventFactory(
        organization=system.organization, wedding=earlier.wedding, type=earlier.type, payload=earlier.payload,
        source_system_id=new_id(),
    )  # fmt: skip
    return again, system


class Plans:
    """The plans of whatever is executed meanwhile, each run twice: once to be explained, and taken back."""

    def __init__(self) -> None:
        self.greedy: dict[str, str] = {}
        self.seen = 0
        with connection.cursor() as cursor:
            cursor.execute("SELECT relname FROM pg_class WHERE relkind = 'r' AND reltuples >= %s", [0.9 * MANY])
            self._big = {name for (name,) in cursor.fetchall()}

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if re.match(r"\s*(SELECT|UPDATE|INSERT|DELETE|WITH|EXECUTE)\b", sql) and not many:
            with connection.connection.cursor() as cursor:
                cursor.execute("SAVEPOINT explained")
                cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", params)
                found = cursor.fetchone()[0]
                cursor.execute("ROLLBACK TO SAVEPOINT explained")
            plan = json.loads(found) if isinstance(found, str) else found
            self.seen += 1
            self._look(plan[0]["Plan"], sql)
        return execute(sql, params, many, context)

    def _look(self, node: dict[str, Any], sql: str) -> None:
        removed = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
        read = (node["Actual Rows"] + removed) * node["Actual Loops"]
        whole = node["Node Type"] == "Seq Scan" and node["Actual Loops"] > 0
        if node.get("Relation Name") in self._big and (whole or read > FEW):
            said = f"{node['Node Type']} of {node['Relation Name']} by {node.get('Index Name', 'nothing')}: {read:.0f}"
            self.greedy[" ".join(sql.split())[:300]] = said
        for below in node.get("Plans", ()):
            self._look(below, sql)


def plans_of(work: Callable[[], object]) -> Plans:
    plans = Plans()
    with connection.execute_wrapper(plans):
        work()
    assert plans.seen
    return plans


def _follow(place: ChannelKey) -> None:
    last_sequences([place])
    entries_after({place: MANY - 10}, 100)


def _watch() -> None:
    for part in Part:
        heartbeats.beat(part)
        heartbeats.check(part)


@pytest.mark.usefixtures("quiet")
def test_a_round_over_years_of_finished_rows_reads_hardly_any() -> None:
    channel = ChannelEntry.objects.order_by("id").select_related("channel")[0].channel
    follow = partial(_follow, ChannelKey(channel.organization_id, channel.name))
    found = {
        name: plans_of(work).greedy
        for name, work in {"sweep": sweep, "health": sweep_health, "follower": follow, "heartbeats": _watch}.items()
    }

    assert found == {"sweep": {}, "health": {}, "follower": {}, "heartbeats": {}}


@pytest.mark.usefixtures("waiting")
def test_a_sweep_beside_many_rows_that_are_to_wait_reads_hardly_any() -> None:
    assert plans_of(sweep).greedy == {}


def test_judging_whether_a_system_knows_it_already_reads_hardly_any(busy_minutes: tuple[ChannelEvent, System]) -> None:
    event, system = busy_minutes
    found: dict[UUID, Reason] = {}

    plans = plans_of(lambda: found.update(repetitions.judge(event, [system], timezone.now())))

    assert found == {system.id: Reason.ALREADY_KNOWN}
    assert (plans.seen, plans.greedy) == (2, {})
