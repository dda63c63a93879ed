"""The watchdog outside is called over the way of an emergency, and only while that works."""

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import redis
from django.db.models.functions import Now
from pytest_django import Settings

from integrations.health import heartbeats, watchdog
from integrations.health.heartbeats import Part
from integrations.health.watchdog import Watchdog
from integrations.models import Heartbeat
from tests.at_once import at_once
from wedsync.live.fan_out import hints
from wedsync.queues import QUEUE_PREFIX, WATCH_TASK

pytestmark = pytest.mark.django_db(transaction=True)


class Outside(HTTPServer):
    calls: list[str]
    status: int


@pytest.fixture
def outside(settings: Settings) -> Iterator[Outside]:
    """A watchdog of somebody else's, which the operator allows."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.calls.append(self.path)
            self.send_response(server.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = Outside(("127.0.0.1", 0), Answers)
    server.calls, server.status = [], 200
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    settings.WATCHDOG_URL = f"http://127.0.0.1:{server.server_port}/ping/a-secret-uuid"
    settings.OUTBOUND_ALLOW = (f"127.0.0.1/32:{server.server_port}",)
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def urgent() -> Iterator[redis.Redis]:
    client = hints._broker()
    client.delete(f"{QUEUE_PREFIX}urgent")
    yield client
    client.delete(f"{QUEUE_PREFIX}urgent")


def test_it_hears_from_an_urgent_worker_while_the_sweep_lives(outside: Outside) -> None:
    heartbeats.beat(Part.SWEEP)

    assert watchdog.call()

    assert outside.calls == ["/ping/a-secret-uuid"]


def test_of_several_workers_that_are_asked_at_once_one_calls(outside: Outside) -> None:
    heartbeats.beat(Part.SWEEP)

    assert sorted(at_once(4, lambda _: watchdog.call())) == [False, False, False, True]
    Heartbeat.objects.filter(name=watchdog.NAME).update(at=Now() - timedelta(seconds=60))
    assert watchdog.call()
    assert len(outside.calls) == 2


def test_it_hears_nothing_when_the_sweep_is_silent(outside: Outside) -> None:
    assert not watchdog.call()

    heartbeats.beat(Part.SWEEP)
    Heartbeat.objects.update(at=Now() - timedelta(seconds=Part.SWEEP.longest_silence + 1))
    assert not watchdog.call()
    assert outside.calls == []


@pytest.mark.parametrize("status", [302, 404, 500])
def test_a_watchdog_that_does_not_take_the_call_breaks_nothing(outside: Outside, status: int) -> None:
    heartbeats.beat(Part.SWEEP)
    outside.status = status

    assert not watchdog.call()
    assert len(outside.calls) == 1


def test_the_rules_for_outside_calls_hold_for_it_too(outside: Outside, settings: Settings) -> None:
    heartbeats.beat(Part.SWEEP)
    settings.OUTBOUND_ALLOW = ()

    assert not watchdog.call()
    assert outside.calls == []


def test_the_sweep_asks_through_the_urgent_queue_once_a_minute(urgent: redis.Redis, outside: Outside) -> None:
    sweeps = Watchdog()
    for _ in range(3):
        sweeps.round()

    (message,) = urgent.lrange(f"{QUEUE_PREFIX}urgent", 0, -1)
    headers = json.loads(message)["headers"]
    assert headers["task"] == WATCH_TASK
    assert headers["expires"], "what waited longer than a minute proves nothing"


def test_nobody_is_asked_where_no_watchdog_is_named(urgent: redis.Redis, settings: Settings) -> None:
    settings.WATCHDOG_URL = ""

    Watchdog().round()

    assert not urgent.llen(f"{QUEUE_PREFIX}urgent")
