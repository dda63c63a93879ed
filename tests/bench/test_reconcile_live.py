"""Clients that drop and go on while servers are killed end with exactly the log; and what differs is noticed."""

from collections.abc import Iterator

import pytest

from bench.ground import Facts, Ground
from bench.reconcile_live import checking
from bench.reconcile_live.clients import Client, Followed, Place, SocketClient
from bench.reconcile_live.playing import Play, Size
from bench.servers import Server, our_web

CHANNEL = "couple:dashboard:x"
LOG = {CHANNEL: [(1, "e1"), (2, "e2")]}


@pytest.fixture
def webs(ground: Ground) -> Iterator[list[Server]]:
    with our_web(ground, name="web-1") as first, our_web(ground, name="web-2") as second:
        yield [first, second]


def test_every_client_has_exactly_the_log_after_a_kill_a_flush_and_a_deploy(
    ground: Ground, facts: Facts, webs: list[Server]
) -> None:
    play = Play(ground, facts, webs, Size(writers=4, sockets=6, streams=6, pages=4, faults=3, seconds=5, pause=0.1))

    played = play.run(lambda _: None)

    assert checking.faults_of(played.clients, checking.read(ground, facts)) == {}
    assert checking.pages_off(played.pages, ground) == {}
    assert len(played.faults) == 3
    assert played.changes > 10
    assert all(each.got for client in played.clients for each in client.channels.values())
    assert played.sum(lambda each: each.drops + each.cut) > len(played.clients)


def client(followed: Followed) -> Client:
    made = SocketClient(Place([], ""), None, [CHANNEL])  # type: ignore[arg-type]
    made.channels[CHANNEL] = followed
    return made


def test_the_log_itself_breaks_no_rule() -> None:
    assert checking.faults_of([client(Followed(got=list(LOG[CHANNEL])))], LOG) == {}


@pytest.mark.parametrize(
    ("followed", "rule"),
    [
        (Followed(got=[(1, "e1")]), "missing"),
        (Followed(got=[(1, "e1"), (2, "e2"), (2, "e2")]), "twice"),
        (Followed(got=[(2, "e2"), (1, "e1")]), "order"),
        (Followed(got=[(1, "e1"), (2, "e2"), (3, "e3")]), "not in the log"),
        (Followed(got=list(LOG[CHANNEL]), unrecovered=1), "cannot go on"),
    ],
)
def test_whatever_differs_from_the_log_is_noticed(followed: Followed, rule: str) -> None:
    (broken,) = checking.faults_of([client(followed)], LOG)

    assert rule in broken
