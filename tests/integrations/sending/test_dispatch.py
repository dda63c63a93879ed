"""What a worker's thread does with a target: that nothing it took from the target is left behind."""

import json
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import quote, unquote

import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone
from pytest_django import Settings

from integrations import admission
from integrations.admission import BreakerState, LaneView, lane_of
from integrations.deliveries import holds
from integrations.models import BreakerChange, Delivery, System
from integrations.sending import dispatch
from tests.at_once import at_once
from tests.factories import DeliveryFactory, SystemFactory
from tests.polling import until

FROZEN = {"method": "POST", "path": "/bookings", "body": "{}", "headers": {}}
TOKEN = "a-token-of-ours"


class _Taking(BaseHTTPRequestHandler):
    """A target that takes everything and tells how it was asked, or below /refuse/ names each error as it is told."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        refuses = self.path.startswith("/refuse/")
        named = json.loads(unquote(self.path.split("/")[2])) if refuses else ""
        said = json.dumps({"name": named, "asked": str(self.headers)})
        self.send_response(403 if refuses else 200)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said.encode())

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def taking(settings: Settings) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Taking) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        settings.OUTBOUND_ALLOW = (f"127.0.0.1/32:{server.server_port}",)
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def system_at(url: str) -> System:
    made: System = SystemFactory(base_url=url, credentials={"access_token": TOKEN})
    return made


def due(system: System, count: int) -> list[Delivery]:
    past = timezone.now() - timedelta(minutes=1)
    return [
        DeliveryFactory(organization=system.organization, system=system, next_attempt_at=past, request=FROZEN)
        for _ in range(count)
    ]


def look(system: System) -> LaneView:
    return admission.look([lane_of(system)])[str(system.id)]


def half_open(system: System) -> None:
    assert admission.trip(lane_of(system), seconds=0.01)
    until(lambda: look(system).state == BreakerState.HALF_OPEN)


@pytest.fixture
def changes_can_not_be_written(transactional_db: None) -> Iterator[None]:
    """PostgreSQL ends the session of whoever writes a change of a breaker down, as it does when it is stopped."""
    table = BreakerChange._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION ends_the_session() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'shutting down' USING ERRCODE = '57P01'; END $$"
        )
        cursor.execute(f"CREATE TRIGGER ends BEFORE INSERT ON {table} EXECUTE FUNCTION ends_the_session()")
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP FUNCTION ends_the_session CASCADE")


@pytest.mark.django_db(transaction=True)
def test_postgresql_that_goes_away_between_two_calls_costs_the_target_no_slot(
    taking: str, settings: Settings, changes_can_not_be_written: None
) -> None:
    settings.BREAKER_CLOSING = 1
    system = system_at(taking)
    first, _ = due(system, 2)
    half_open(system)

    with pytest.raises(OperationalError):
        dispatch.serve(first.id, system.id)

    first.refresh_from_db()
    assert (first.state, look(system).state, look(system).in_flight) == ("succeeded", BreakerState.CLOSED, 0)


@pytest.mark.django_db(transaction=True)
def test_whoever_holds_all_that_is_due_waits_for_nobody_who_has_taken_some_of_it() -> None:
    system = system_at("https://venue.example")
    taken, *others = due(system, 3)

    def hold(_: int) -> int:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '2s'")
            return holds.for_open_breaker(system.id, 30)

    with transaction.atomic():
        Delivery.objects.select_for_update().get(id=taken.id)
        assert at_once(1, hold) == [len(others)]

    assert hold(0) == 1, "what was let go of since"


@pytest.mark.django_db(transaction=True)
def test_our_own_faults_neither_close_a_breaker_nor_open_it() -> None:
    system = system_at("https://10.0.0.1")  # an address that may not be called
    waiting = due(system, 6)
    half_open(system)

    dispatch.serve(waiting[0].id, system.id)

    assert set(system.deliveries.values_list("state", "state_reason")) == {("scheduled", "our_fault")}
    assert (look(system).state, look(system).in_flight, look(system).failures) == (BreakerState.HALF_OPEN, 0, 0)


@pytest.mark.django_db(transaction=True)
def test_what_the_other_side_repeats_of_our_credentials_is_not_kept(taking: str) -> None:
    system = system_at(taking)
    (delivery,) = due(system, 1)

    dispatch.serve(delivery.id, system.id)

    excerpt = delivery.attempts.get().response_excerpt
    assert "Bearer •••" in excerpt
    assert TOKEN not in excerpt


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", ["a\x00b", "a\ud800b"])
def test_an_error_that_postgresql_can_not_store_ends_the_attempt_all_the_same(taking: str, name: str) -> None:
    url = f"{taking}/refuse/{quote(json.dumps(name))}"
    credentials = {"api_key": TOKEN, "from": "b@example.com"}
    system = SystemFactory(kind=System.Kind.EMAIL, base_url=url, credentials=credentials)
    (delivery,) = due(system, 1)
    mail = {"from": "b@example.com", "to": ["a@example.com"], "subject": "x", "html": "x", "text": "x"}
    frozen = {**FROZEN, "body": json.dumps(mail)}
    Delivery.objects.filter(id=delivery.id).update(channel="email", target="a@example.com", request=frozen)

    dispatch.serve(delivery.id, system.id)

    delivery.refresh_from_db()
    assert delivery.state == "dead"
    assert delivery.attempts.get().error.startswith("Resend: a")
