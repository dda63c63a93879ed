"""What one caller may cost the others, at a real web process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from django.db import transaction

from tests.live.socket_client import ask, connect, couple
from tests.live.webs import Web, another_web
from tests.live.world import World
from wedsync.weddings.models import Wedding


@pytest.fixture
def strict(world: World) -> Iterator[Web]:
    """A web process whose statements end after a second, and whose sockets may ask five times a second."""
    limits = {"WEDSYNC_STATEMENT_SECONDS": "1", "WEDSYNC_LIMIT_PER_SOCKET": "5", "WEDSYNC_LIMIT_PER_KEY": "3"}
    with another_web(world.product, **limits) as web:
        yield web


def test_what_waits_too_long_in_the_database_is_answered_too_slow(world: World, strict: Web) -> None:
    url = f"http://127.0.0.1:{strict.port}/api/weddings/{world.wedding.id}/"
    with transaction.atomic():
        Wedding.objects.select_for_update().get(id=world.wedding.id)

        answer = requests.patch(url, json={"guest_count": 77}, headers=world.headers, timeout=20)

    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/too-slow")
    assert answer.headers["Retry-After"] == "5"
    assert Wedding.objects.get(id=world.wedding.id).guest_count != 77


def test_over_its_minute_a_key_is_told_when_to_come_again(world: World, strict: Web) -> None:
    url = f"http://127.0.0.1:{strict.port}/api/integrations/health/"
    answers: list[Any] = [requests.get(url, headers=world.headers, timeout=20) for _ in range(8)]

    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert all(0 < int(answer.headers["Retry-After"]) <= 60 for answer in refused)
    assert {answer.headers["RateLimit-Limit"] for answer in answers} == {"3"}


def test_a_socket_that_asks_too_much_is_told_so_and_goes_on_to_hear(world: World, strict: Web) -> None:
    url = f"ws://127.0.0.1:{strict.port}/ws/channels/?ticket={world.ticket()}"
    with connect(url, proxy=None) as client:
        assert ask(client, op="subscribe", channel=couple(world))["ok"]

        for _ in range(8):
            client.send('{"id":1,"op":"ping"}')
        answers = [json.loads(client.recv(timeout=5)) for _ in range(8)]

        refused = [answer["error"] for answer in answers if not answer["ok"]]
        assert {(error["code"], error["temporary"]) for error in refused} == {("too-many-requests", True)}
        world.capacity(182)
        assert json.loads(client.recv(timeout=5))["event"]["payload"]["capacity"] == 182
