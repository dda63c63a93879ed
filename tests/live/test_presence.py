"""Who follows a channel, over two web processes on the same rows."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import redis
import requests
from django.conf import settings
from websockets.sync.client import ClientConnection
from websockets.typing import Subprotocol

from tests.factories import MembershipFactory
from tests.live.socket_client import ask, connect, couple, receive
from tests.live.webs import Web, another_web
from tests.live.world import World
from tests.polling import until
from tests.ports import free_port

GONE_WITHIN = 15.0  # seconds after a process was killed


@pytest.fixture(scope="module")
def other(product: Any) -> Iterator[Web]:
    """A second web process."""
    with another_web(product) as web:
        yield web


class Room:
    """Clients of one channel, at either process."""

    def __init__(self, world: World, stack: ExitStack) -> None:
        self.world, self.channel, self._stack = world, couple(world), stack

    def socket(self, web: Web | None = None, **ticket: Any) -> ClientConnection:
        host = f"ws://127.0.0.1:{web.port}/ws/channels/" if web else self.world.product.ws_url
        url = f"{host}?ticket={self.world.ticket(**ticket)}"
        return self._stack.enter_context(connect(url, subprotocols=[Subprotocol("wedsync.v1")], proxy=None))

    def follower(self, web: Web | None = None, **ticket: Any) -> ClientConnection:
        client = self.socket(web, **ticket)
        assert ask(client, op="subscribe", channel=self.channel)["ok"]
        return client

    def person(self, role: str = "couple") -> dict[str, Any]:
        """A ticket's body that names a contact, on our channel or on none."""
        return {"contact": str(self.world.people[role].id)}

    def count(self, web: Web | None = None) -> int:
        base = f"http://127.0.0.1:{web.port}" if web else self.world.product.base_url
        url = f"{base}/api/channels/{self.channel}/presence/"
        answer = requests.get(url, headers=self.world.headers, timeout=5)
        assert answer.status_code == 200, answer.text
        found: int = answer.json()["count"]
        return found


@pytest.fixture
def room(world: World) -> Iterator[Room]:
    with ExitStack() as stack:
        yield Room(world, stack)


def watching(client: ClientConnection, room: Room) -> dict[str, Any]:
    return ask(client, op="presence", channel=room.channel, watch=True)


def change(client: ClientConnection, seconds: float = 8) -> dict[str, Any]:
    frame = receive(client, seconds)
    assert frame["op"] == "presence"
    return frame


def test_a_person_counts_once_however_many_tabs_and_processes(room: Room, other: Web) -> None:
    for web in (None, None, other):
        room.follower(web, **room.person())
    room.follower(other)

    until(lambda: (room.count(), room.count(other)) == (2, 2))


def test_whoever_leaves_in_one_process_is_gone_in_the_other_when_the_last_tab_closes(room: Room, other: Web) -> None:
    tabs = [room.follower(web, **room.person()) for web in (None, other)]
    until(lambda: room.count() == 1)

    tabs[0].close()
    assert ask(tabs[1], op="presence", channel=room.channel)["count"] == 1
    assert ask(tabs[1], op="unsubscribe", channel=room.channel)["ok"]

    until(lambda: room.count() == 0)


def test_staff_see_names_and_all_others_the_count(room: Room, other: Web) -> None:
    member = MembershipFactory(organization=room.world.organization, user__first_name="Clara")
    staff = room.follower(user=member.user.username)
    anna = room.follower(other, **room.person())

    seen = until(lambda: (found := ask(staff, op="presence", channel=room.channel))["count"] == 2 and found)
    told = ask(anna, op="presence", channel=room.channel)

    assert {(each["kind"], each["name"]) for each in seen["people"]} == {
        ("user", "Clara"),
        ("contact", room.world.people["couple"].name),
    }
    assert told == {"id": 1, "ok": True, "count": 2}


def test_those_who_ask_are_told_of_everybody_who_comes_and_leaves(room: Room, other: Web) -> None:
    member = MembershipFactory(organization=room.world.organization)
    staff, key = room.socket(user=member.user.username), room.socket()
    assert [watching(client, room)["count"] for client in (staff, key)] == [0, 0]

    anna = room.follower(other, **room.person())
    joined = [change(client) for client in (staff, key)]
    anna.close()
    left = [change(client) for client in (staff, key)]

    assert [(frame["count"], frame["joined"], frame["left"]) for frame in joined] == [(1, 1, 0)] * 2
    assert [(frame["count"], frame["joined"], frame["left"]) for frame in left] == [(0, 0, 1)] * 2
    name = room.world.people["couple"].name
    assert [[each["name"] for each in frame.get("people_joined", [])] for frame in joined] == [[name], []]
    assert [[each["name"] for each in frame.get("people_left", [])] for frame in left] == [[name], []]


def test_who_asks_no_more_is_told_no_more(room: Room) -> None:
    silent, watcher = room.socket(), room.socket()
    for client in (silent, watcher):
        watching(client, room)
    assert ask(silent, op="presence", channel=room.channel, watch=False)["ok"]

    room.follower(**room.person())

    assert change(watcher)["joined"] == 1
    assert ask(silent, op="ping") == {"id": 1, "ok": True}, "the next frame, with none between"


def test_the_clients_of_a_killed_process_are_gone(room: Room) -> None:
    with another_web(room.world.product) as doomed:
        watcher = room.socket()
        room.follower(doomed, **room.person())
        until(lambda: room.count() == 1)
        assert watching(watcher, room)["count"] == 1

        doomed.end(signal.SIGKILL)

        assert change(watcher, GONE_WITHIN)["left"] == 1
    assert room.count() == 0


def test_after_redis_lost_everything_it_is_filled_again_and_nobody_seemed_to_leave(room: Room, other: Web) -> None:
    for web, role in ((None, "couple"), (other, "couple")):
        room.follower(web, **room.person(role))
    room.follower(other)
    watcher = room.socket()
    until(lambda: room.count() == 2)
    watching(watcher, room)

    client = redis.Redis.from_url(settings.REDIS_URL)
    for key in client.scan_iter("wedsync:presence*"):
        client.delete(key)

    until(lambda: room.count() == room.count(other) == 2)
    room.follower(user=MembershipFactory(organization=room.world.organization).user.username)
    first = change(watcher)
    assert (first["count"], first["joined"], first["left"]) == (3, 1, 0)


def test_without_redis_nobody_knows(room: Room) -> None:
    nobody = f"redis://127.0.0.1:{free_port()}/0"
    with another_web(room.world.product, probe="/livez", REDIS_URL=nobody, WEDSYNC_CHANNEL_LAYER_URL=nobody) as alone:
        answer = requests.get(
            f"http://127.0.0.1:{alone.port}/api/channels/{room.channel}/presence/",
            headers=room.world.headers,
            timeout=10,
        )
        client = room.follower(alone)
        told = ask(client, op="presence", channel=room.channel)

    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/unavailable")
    assert (told["error"]["code"], told["error"]["temporary"]) == ("unavailable", True)


@pytest.mark.parametrize(
    ("ticket", "channel"),
    [
        ({"channels": ["made:up:1"]}, "the couple's"),
        ({"contact": "couple"}, "another"),
    ],
)
def test_presence_of_a_channel_that_a_ticket_does_not_cover_is_not_told(
    room: Room, ticket: dict[str, Any], channel: str
) -> None:
    said = room.person() if "contact" in ticket else ticket
    client = room.socket(**said)

    refused = ask(client, op="presence", channel=room.channel if channel == "the couple's" else "supplier:dashboard:1")

    assert refused["error"]["code"] == "forbidden"
