"""Many channels in one request, much to read, and clients that read nothing."""

import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.live.raw_sockets import masked, raw, slow
from tests.live.socket_client import ask, connect, couple, receive, socket
from tests.live.world import World
from tests.polling import until

UNREAD = "socket_too_slow"


def ping_frame() -> bytes:
    return masked(0x9, b"x" * 100) * 500


def request_frame() -> bytes:
    return masked(0x1, json.dumps({"id": "x" * 60_000, "op": "ping"}).encode()) * 20


def test_many_channels_are_followed_by_one_request(world: World) -> None:
    for number in (160, 161, 162):
        world.capacity(number)
    ours, empty = couple(world), f"made:up:{world.wedding.id}"
    urgent = f"urgent:wedding-day:{world.organization.id}"

    with socket(world) as client:
        asked = {
            ours: {"after": 1},
            empty: {},
            urgent: {"after": 7, "epoch": "another"},
            "no:name": {},
            "a:b:c": {"x": 1},
        }
        answer = ask(client, op="subscribe", channels=asked)
        frames = [receive(client) for _ in range(2)]
        world.capacity(163)
        frames.append(receive(client))

    assert answer["ok"]
    found = answer["channels"]
    assert (found[ours]["ok"], found[ours]["last"]) == (True, 3)
    assert (found[empty]["ok"], found[empty]["last"]) == (True, 0)
    assert found[urgent]["recovered"] is False
    assert found["no:name"]["error"]["code"] == "bad-channel"
    assert found["a:b:c"]["error"]["code"] == "bad-request"
    assert [(frame["channel"], frame["sequence"]) for frame in frames] == [(ours, 2), (ours, 3), (ours, 4)]


def test_of_many_channels_only_those_of_the_ticket_are_followed_and_no_more_than_a_socket_may(world: World) -> None:
    ours = couple(world)
    with socket(world, world.ticket(channels=[ours])) as client:
        answer = ask(client, op="subscribe", channels={ours: {}, "a:b:c": {}})["channels"]
    assert (answer[ours]["ok"], answer["a:b:c"]["error"]["code"]) == (True, "forbidden")

    with socket(world) as client:
        first = ask(client, op="subscribe", channels={f"a:b:{number}": {} for number in range(100)})["channels"]
        second = ask(client, op="subscribe", channels={f"a:b:{number}": {} for number in range(60, 160)})["channels"]
        too_many = ask(client, op="subscribe", channels={f"a:c:{number}": {} for number in range(129)})
        empty = ask(client, op="subscribe", channels={})
        both = ask(client, op="subscribe", channels={ours: {}}, channel=ours)
    assert all(each["ok"] for each in first.values())
    assert [each["ok"] for each in second.values()] == [True] * 68 + [False] * 32
    assert {each["error"]["code"] for each in second.values() if not each["ok"]} == {"too-many-channels"}
    assert [each["error"]["code"] for each in (too_many, empty, both)] == [
        "too-many-channels", "bad-request", "bad-request",
    ]  # fmt: skip


def test_many_missed_events_come_whole_and_in_order_beside_what_is_new(world: World) -> None:
    for number in range(40):
        world.capacity(200 + number, note="x" * 40_000)

    with socket(world) as late, socket(world) as present:
        assert ask(present, op="subscribe", channel=couple(world))["last"] == 40
        ask(late, op="subscribe", channel=couple(world), after=0)
        world.capacity(300)

        assert receive(present)["sequence"] == 41
        assert [receive(late)["sequence"] for _ in range(41)] == list(range(1, 42))


def test_a_client_that_reads_nothing_is_cut_off_and_nobody_else_notices(world: World) -> None:
    with (
        socket(world) as present,
        connect(
            f"{world.product.ws_url}?ticket={world.ticket()}", proxy=None, max_queue=1, sock=slow(world.product.port)
        ) as stuck,
    ):
        for client in (present, stuck):
            client.send(json.dumps({"id": 1, "op": "subscribe", "channel": couple(world)}))
        assert receive(present)["ok"]
        before = world.product.log("web").count(UNREAD)

        heard = []
        for number in range(30):
            world.capacity(200 + number, note="x" * 60_000)
            heard.append(receive(present)["sequence"])

        until(lambda: world.product.log("web").count(UNREAD) > before, 20, what="the end of the slow reader")
    assert heard == list(range(1, 31))


def test_compression_is_not_agreed_on(world: World) -> None:
    with socket(world) as client:
        assert client.response is not None
        assert "Sec-WebSocket-Extensions" not in client.response.headers


@pytest.mark.parametrize(
    ("message", "answered"),
    [
        ('{"id":99999999999999999999999,"op":"ping"}', (99999999999999999999999, True)),
        ('{"id":"\\ud800","op":"ping"}', ("\ud800", True)),
        ('{"id":{"a":[1]},"op":"ping"}', ({"a": [1]}, True)),
        (json.dumps({"id": "x" * 200, "op": "ping"}), (None, False)),
        ('{"id":5,"op":"subscribe","channels":{"a:b:\\ud800":{},"a:b:c":{"\\ud800":1}}}', (5, True)),
        ('{"id":6,"op":"ping","\\ud800":1}', (6, False)),
    ],
)
def test_whatever_an_answer_must_repeat_can_be_written(world: World, message: str, answered: tuple[Any, bool]) -> None:
    with socket(world) as client:
        client.send(message)

        answer = receive(client)

        assert (answer["id"], answer["ok"]) == answered
        assert ask(client, op="ping")["ok"]


@pytest.mark.parametrize("talk", [ping_frame(), request_frame()], ids=["pings", "requests"])
def test_a_client_that_talks_on_and_reads_nothing_is_cut_off_too(world: World, talk: bytes) -> None:
    before = world.product.log("web").count(UNREAD)
    memory = resident(world)
    with socket(world) as present, raw(world) as stuck:
        stuck.settimeout(0.2)
        stuck.sendall(masked(0x1, json.dumps({"op": "subscribe", "channel": couple(world)}).encode()))
        for number in range(30):
            world.capacity(200 + number, note="x" * 60_000)

        def cut_off() -> bool:
            with contextlib.suppress(TimeoutError):
                stuck.sendall(talk)
            return world.product.log("web").count(UNREAD) > before

        until(lambda: ended(cut_off), 30, what="the end of the slow reader")
        assert ask(present, op="ping") == {"id": 1, "ok": True}
    assert resident(world) - memory < 64 * 1024 * 1024


def ended(look: Callable[[], bool]) -> bool:
    try:
        return look()
    except OSError:  # the connection was cut off
        return True


def resident(world: World) -> int:
    """Bytes that the web process holds in memory."""
    status = Path(f"/proc/{world.product.processes['web'].pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) * 1024
