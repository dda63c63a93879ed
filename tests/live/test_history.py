"""The log of a channel over HTTP, and the wait for its next event."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.live.event_source import EventSource
from tests.live.test_sockets import couple
from tests.live.webs import another_web
from tests.live.world import World, make_world
from tests.polling import until
from tests.raw_http import RawConnection
from wedsync.live.models import ChannelEvent
from wedsync.weddings.models import ApiKey

ESTABLISHED = "01"  # of proc(5)


def ask(world: World, name: str | None = None, port: int | None = None, **parameters: Any) -> requests.Response:
    url = f"http://127.0.0.1:{port or world.product.port}/api/channels/{name or couple(world)}/events/"
    return requests.get(url, params=parameters, headers=world.headers, timeout=40)


def page(world: World, **parameters: Any) -> dict[str, Any]:
    answer = ask(world, **parameters)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def pending(world: World) -> bool:
    routing = ChannelEvent.Routing.PENDING
    return ChannelEvent.objects.filter(organization=world.organization, routing=routing).exists()


def test_the_log_is_read_page_by_page_as_a_stream_tells_it(world: World) -> None:
    for number in range(5):
        world.capacity(160 + number)
    until(lambda: not pending(world), what="the routing, which completes the payloads")
    with EventSource(world, [f"{couple(world)}@0"]) as stream:
        epoch = stream.told().data["channels"][couple(world)]["epoch"]
        told = [stream.told().data for _ in range(5)]

    whole, first = page(world), page(world, limit=2)
    second = page(world, after=first["events"][-1]["sequence"], epoch=epoch, limit=2)
    last = page(world, after=4)

    assert whole["events"] == told
    assert (whole["epoch"], whole["last"], whole["oldest"], whole["recovered"]) == (epoch, 5, 1, True)
    assert [first["events"], second["events"], last["events"]] == [told[:2], told[2:4], told[4:]]
    assert page(world, after=5)["events"] == []


def test_a_place_that_the_log_does_not_have_is_said_to_be_lost(world: World) -> None:
    world.capacity(160)

    for lost in (page(world, after=2), page(world, after=1, epoch="another"), page(world, after=9, wait=25)):
        assert (lost["events"], lost["recovered"], lost["last"]) == ([], False, 1)


def test_a_wait_ends_with_the_next_event_or_with_its_time(world: World) -> None:
    world.capacity(160)
    with ThreadPoolExecutor() as pool:
        waiting = [pool.submit(page, world, after=1, wait=25) for _ in range(3)]
        until(lambda: connections(world.product.port) >= 3, what="all waits")
        world.capacity(161)
        answers = [each.result() for each in waiting]

    assert [[each["sequence"] for each in answer["events"]] for answer in answers] == [[2]] * 3
    assert {(answer["last"], answer["recovered"]) for answer in answers} == {(2, True)}
    assert page(world, after=2, wait=1)["events"] == []
    assert [each["sequence"] for each in page(world, after=0, wait=25)["events"]] == [1, 2], "it waits for nothing"


def connections(port: int) -> int:
    """How many clients are connected to a process."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(1 for line in lines if line[1].endswith(f":{port:04X}") and line[3] == ESTABLISHED)


def test_a_wait_on_a_channel_that_nobody_wrote_to_is_told_of_its_first_event(world: World) -> None:
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(page, world, wait=25)
        until(lambda: connections(world.product.port) >= 1, what="the wait")
        world.capacity(160)

        assert [each["sequence"] for each in waiting.result()["events"]] == [1]


def test_a_wait_ends_with_its_right(world: World) -> None:
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(ask, world, wait=25)
        until(lambda: connections(world.product.port) >= 1, what="the wait")
        ApiKey.objects.filter(organization=world.organization).delete()

        assert waiting.result().json()["type"] == "/problems/not-authenticated"


def test_a_process_that_is_told_to_end_answers_those_who_wait(world: World) -> None:
    with another_web(world.product) as web, ThreadPoolExecutor() as pool:
        waiting = pool.submit(ask, world, port=web.port, wait=25)
        until(lambda: connections(web.port) >= 1, what="the wait")
        assert web.end() == 0
        assert waiting.result().json()["events"] == []


@pytest.mark.parametrize(
    ("parameters", "slug"),
    [
        ({"after": -1}, "bad-request"),
        ({"after": "x"}, "bad-request"),
        ({"after": "1" * 30}, "bad-request"),
        ({"limit": 0}, "bad-request"),
        ({"limit": 201}, "bad-request"),
        ({"wait": 26}, "bad-request"),
        ({"wait": "1.5"}, "bad-request"),
        ({"afte": 1}, "unknown-filter"),
        ({"after": ["1", "2"]}, "bad-request"),
    ],
)
def test_a_request_that_is_not_understood_is_refused(world: World, parameters: dict[str, Any], slug: str) -> None:
    answer = ask(world, **parameters)

    assert (answer.status_code, answer.json()["type"]) == (400, f"/problems/{slug}")


def test_a_name_that_is_none_and_a_channel_that_is_not_ours(world: World) -> None:
    stranger = make_world(world.product)
    stranger.capacity(160)

    assert ask(world, "couple:dashboard").json()["type"] == "/problems/bad-channel"
    assert page(world, name=couple(stranger))["events"] == [], "of our organization, which never wrote to it"


def test_head_and_other_spellings(world: World) -> None:
    path = f"/api/channels/{couple(world).replace(':', '%3A')}/events"
    with RawConnection(world.product.port) as connection:
        connection.ask("HEAD", path, world.headers)
        head = connection.answer("HEAD")
        connection.ask("GET", path, world.headers)
        answer = connection.answer()

    assert (head.status, head.body) == (200, b"")
    assert (answer.status, answer.headers["cache-control"]) == (200, "no-store, no-transform")
    assert head.headers["content-length"] == answer.headers["content-length"]


def test_a_page_of_large_events_ends_where_it_has_a_mebibyte(world: World) -> None:
    for number in range(14):
        world.capacity(200 + number, note="x" * 100_000)

    first = page(world, limit=200)
    rest = page(world, after=first["events"][-1]["sequence"], limit=200)

    assert 1 <= len(first["events"]) < 14
    assert [each["sequence"] for each in first["events"] + rest["events"]] == list(range(1, 15))
