"""Resuming after a break where the log no longer has everything."""

import pytest

from tests.live.socket_client import ask, couple, receive, socket
from tests.live.world import World
from wedsync.live.models import ChannelEntry


@pytest.fixture
def shortened(world: World) -> World:
    """Three events on the couple's channel, of which the log keeps the last two."""
    for number in (160, 161, 162):
        world.capacity(number)
    ChannelEntry.objects.filter(channel__name=couple(world), sequence=1).delete()
    return world


def test_a_lost_position_is_told_with_the_first_sequence_that_is_kept_and_no_part_is_sent(shortened: World) -> None:
    name = couple(shortened)
    with socket(shortened) as client:
        lost = ask(client, op="subscribe", channel=name, after=0)
        shortened.capacity(163)
        following = receive(client)
        kept = ask(client, op="subscribe", channel=name, after=1, epoch=lost["epoch"], must_recover=True)
        frames = [receive(client) for _ in range(3)]

    assert (lost["recovered"], lost["oldest"], lost["last"]) == (False, 2, 3)
    assert following["sequence"] == 4
    assert (kept["recovered"], "oldest" in kept) == (True, False)
    assert [frame["sequence"] for frame in frames] == [2, 3, 4]


def test_who_must_recover_is_refused_and_follows_nothing(shortened: World) -> None:
    name, other = couple(shortened), f"urgent:wedding-day:{shortened.organization.id}"
    start = {"after": 0, "must_recover": True}
    with socket(shortened) as client:
        single = ask(client, op="subscribe", channel=name, **start)
        many = ask(client, op="subscribe", channels={name: start, other: start})
        shortened.capacity(164)
        pong = ask(client, op="ping")

    assert not single["ok"]
    assert single["error"]["code"] == "unrecoverable"
    assert (single["error"]["oldest"], single["error"]["temporary"]) == (2, False)
    assert many["channels"][name]["error"] == single["error"]
    assert many["channels"][other] == {"ok": True, "epoch": many["channels"][other]["epoch"], "last": 0} | {
        "recovered": True
    }
    assert pong["ok"], "the event of a channel that is not followed does not come before it"


@pytest.mark.parametrize("start", [{"must_recover": True}, {"after": 1, "must_recover": 1}, {"must_recover": None}])
def test_must_recover_needs_a_position(world: World, start: dict[str, object]) -> None:
    with socket(world) as client:
        answer = ask(client, op="subscribe", channel=couple(world), **start)

    assert answer["error"]["code"] == "bad-request"
