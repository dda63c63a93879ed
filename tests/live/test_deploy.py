"""A web process is told to end while another one serves: its clients move on, and nobody is cut off."""

import json
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
import requests
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.live.socket_client import ask, connect, couple, receive
from tests.live.webs import Web, another_web
from tests.live.world import World, signed
from tests.polling import until
from wedsync.live.close_codes import CloseCode

CLIENTS = 12
DRAIN = 3.0  # seconds


@pytest.fixture
def ending(world: World) -> Iterator[Web]:
    """The process that will be told to end; the product's own serves on."""
    with another_web(world.product, WEDSYNC_DRAIN_SECONDS=str(DRAIN)) as web:
        yield web


def url(port: int, ticket: str) -> str:
    return f"ws://127.0.0.1:{port}/ws/channels/?ticket={ticket}"


class Follower:
    """A client that follows one channel, and moves from one process to the other when it is told to."""

    def __init__(self, world: World, first: Web, tickets: list[str]) -> None:
        self.world, self.ports, self.tickets = world, [first.port, world.product.port], tickets
        self.sequences: list[int] = []
        self.closes: list[tuple[int, str, bool]] = []
        self.closed_at = self.pause = 0.0
        self.follows = Event()

    def follow(self, last: int) -> None:
        """Follow until the event with this sequence has arrived."""
        start: dict[str, Any] = {}
        for port, ticket in zip(self.ports, self.tickets, strict=True):
            with connect(url(port, ticket), subprotocols=[Subprotocol("wedsync.v1")], proxy=None) as client:
                answer = ask(client, op="subscribe", channel=couple(self.world), **start)
                assert answer.get("recovered", True), answer
                self.follows.set()
                try:
                    while last not in self.sequences:
                        self.sequences.append(receive(client, 20)["sequence"])
                except ConnectionClosed as closed:
                    self._moved_on(closed)
                    start = {"after": max(self.sequences, default=0), "epoch": answer["epoch"], "must_recover": True}
                    Event().wait(self.pause)
                else:
                    return

    def _moved_on(self, closed: ConnectionClosed) -> None:
        assert closed.rcvd, "it sees 1006"
        self.closed_at = time.monotonic()
        self.closes.append((closed.rcvd.code, closed.rcvd.reason, closed.sent is not None))
        self.pause = json.loads(closed.rcvd.reason)["come_back_after"]


def test_clients_move_on_one_by_one_and_miss_nothing_while_webhooks_are_answered(world: World, ending: Web) -> None:
    statuses: list[int] = []
    with ThreadPoolExecutor(CLIENTS) as pool:
        followers = [Follower(world, ending, [world.ticket(), world.ticket()]) for _ in range(CLIENTS)]
        following = [pool.submit(each.follow, 40) for each in followers]
        assert all(each.follows.wait(20) for each in followers)

        ending.process.send_signal(signal.SIGTERM)
        until(lambda: readiness(ending) == (503, "close"), what="the process saying that it is not ready")
        for number in range(40):
            statuses.append(post(world, ending if ending.process.poll() is None else None, 200 + number))
            Event().wait(DRAIN / 30)
        for each in following:
            each.result(30)

    assert set(statuses) == {202}
    assert [each.sequences for each in followers] == [list(range(1, 41))] * CLIENTS
    assert {(code, echoed) for each in followers for code, _, echoed in each.closes} == {(CloseCode.DEPLOY, True)}
    assert all(len(each.closes) == 1 and len(each.closes[0][1]) <= 123 for each in followers)
    assert ending.process.wait(30) == 0
    moments = sorted(each.closed_at for each in followers)
    assert moments[-1] - moments[0] > DRAIN / 4, "not all at the same moment"
    assert len({each.pause for each in followers}) > CLIENTS / 3, "not all after the same pause"


def readiness(web: Web) -> tuple[int, str | None]:
    answer = requests.get(f"http://127.0.0.1:{web.port}/readyz", timeout=5)
    return answer.status_code, answer.headers.get("Connection")


def post(world: World, web: Web | None, capacity: int) -> int:
    """Post a webhook to a process as long as it listens, as a balancer would, else to the other one."""
    body = json.dumps(world.envelope("capacity.updated", {"max_capacity": capacity, "previous": 150})).encode()
    path = world.url.removeprefix(world.product.base_url)
    if web is not None:
        try:
            return requests.post(
                f"http://127.0.0.1:{web.port}{path}", body, headers=signed(body), timeout=10
            ).status_code
        except requests.ConnectionError:
            assert not listens(web), "it breaks no connection as long as it listens"
    return requests.post(world.url, body, headers=signed(body), timeout=10).status_code


def listens(web: Web) -> bool:
    try:
        requests.get(f"http://127.0.0.1:{web.port}/livez", timeout=5)
    except requests.ConnectionError:
        return False
    return True


def test_a_client_that_comes_while_the_process_is_ending_is_served_and_moved_on(world: World, ending: Web) -> None:
    ending.process.send_signal(signal.SIGTERM)
    until(lambda: readiness(ending)[0] == 503, what="the process saying that it is not ready")

    with connect(url(ending.port, world.ticket()), proxy=None) as client:
        assert ask(client, op="ping")["ok"]
        with pytest.raises(ConnectionClosed) as closed:
            client.recv(timeout=20)

    assert closed.value.rcvd
    assert closed.value.rcvd.code == CloseCode.DEPLOY
    assert ending.process.wait(30) == 0


@pytest.mark.parametrize("signals", [[signal.SIGINT], [signal.SIGTERM, signal.SIGTERM]])
def test_who_is_in_a_hurry_skips_the_wait_and_the_clients_are_told_all_the_same(
    world: World, signals: list[signal.Signals]
) -> None:
    with (
        another_web(world.product, WEDSYNC_DRAIN_SECONDS="300") as web,
        connect(url(web.port, world.ticket()), proxy=None) as client,
    ):
        assert ask(client, op="ping")["ok"]
        for number in signals[:-1]:
            web.process.send_signal(number)
            until(lambda: readiness(web)[0] == 503, what="the first signal being heard")
        web.process.send_signal(signals[-1])
        with pytest.raises(ConnectionClosed) as closed:
            client.recv(timeout=20)
        assert web.process.wait(30) == 0

    assert closed.value.rcvd
    assert closed.value.rcvd.code == CloseCode.DEPLOY
    assert 0.5 <= json.loads(closed.value.rcvd.reason)["come_back_after"] <= 10.5
