"""A worker that is lost between an emergency that names no wedding and its incident: staff are called all the same."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import psycopg2
import pytest
from django.db import connection

from integrations.models import Delivery
from integrations.states import State
from notifications.incidents import acknowledging, opening
from notifications.models import Incident
from tests.live.broken_ways import Sent, make_sent
from tests.live.world import World
from tests.polling import until
from wedsync.weddings.models import Wedding

TOLD_WITHIN = 30.0
WAITS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE 'INSERT INTO "notifications_incident"%'
"""


@pytest.fixture
def sent(world: World) -> Iterator[Sent]:
    """A vendor whose system knows no wedding of today; afterwards somebody takes care of whatever is open."""
    made = make_sent(world.product, "venue_master")
    later = made.world.wedding.date + timedelta(days=5)
    Wedding.objects.filter(id=made.world.wedding.id).update(date=later)
    yield made
    for incident in Incident.objects.filter(state=Incident.State.OPEN):
        acknowledging.acknowledge_incident(incident, by="the test", via="the test")


@contextmanager
def no_incident_can_be_stored() -> Iterator[None]:
    """Who opens one waits in the middle of its transaction."""
    given = connection.get_connection_params()
    for name in ("cursor_factory", "client_encoding"):
        given.pop(name, None)
    other = psycopg2.connect(**given)
    try:
        with other.cursor() as cursor:
            cursor.execute("LOCK TABLE notifications_incident IN SHARE MODE")
        yield
    finally:
        other.close()


def somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(WAITS)
        (count,) = cursor.fetchone()
    return bool(count)


def of(sent: Sent) -> list[Incident]:
    return list(Incident.objects.filter(organization=sent.world.organization))


def told(sent: Sent) -> list[tuple[str, str]]:
    """Each staff message that a channel has taken, by its channel and target."""
    rows = Delivery.objects.filter(organization=sent.world.organization, plan_step__gte=opening.FIRST_STAFF_CALL)
    return sorted(rows.filter(state=State.SUCCEEDED).values_list("channel", "target"))


@pytest.mark.parametrize("lost", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "frozen"])
def test_a_worker_that_is_lost_before_the_incident_is_there_keeps_nobody_from_being_called(
    sent: Sent, lost: signal.Signals
) -> None:
    product = sent.world.product
    product.kill("sweep", signal.SIGTERM)  # so that the worker is the one that is in the middle of it
    with no_incident_can_be_stored():
        sent.send(booking_id=None)
        until(somebody_waits, what="the worker being in the middle of opening the incident")
        if lost == signal.SIGKILL:
            product.kill("worker")
        else:
            os.killpg(product.processes["worker"].pid, lost)
    assert of(sent) == []

    try:
        product.start("sweep")
        (incident,) = until(lambda: of(sent), TOLD_WITHIN, what="the incident, by the sweep")
    finally:
        if lost == signal.SIGSTOP:
            os.killpg(product.processes["worker"].pid, signal.SIGCONT)
    if lost == signal.SIGKILL:
        product.start("worker")

    team = str(sent.world.systems["slack"].id)
    everybody = sorted([("slack", team), *(("email", each) for each in sent.staff)])
    until(lambda: told(sent) == everybody, TOLD_WITHIN, what="everybody of staff being told, once")
    assert [each.id for each in of(sent)] == [incident.id]
    assert incident.reports.count() == 1
    posts = product.messages("slack", sent.world.slack_channel)
    assert len([post for post in posts if sent.marker in str(post["body"])]) == 1
