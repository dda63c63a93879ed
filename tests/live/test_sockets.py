"""The socket at /ws/channels/, with a plain WebSocket client."""

from contextlib import ExitStack

import pytest
import redis
from django.conf import settings

from tests.live.socket_client import ask, capacity, couple, receive, socket, witness
from tests.live.world import World, make_world
from wedsync.live.models import Channel


def test_a_subscriber_gets_the_events_of_its_channel_in_order(world: World) -> None:
    with socket(world) as client:
        assert client.subprotocol == "wedsync.v1"
        answer = ask(client, op="subscribe", channel=couple(world))
        assert answer["ok"]
        assert answer["last"] == 0

        ids = [world.capacity(number).json()["id"] for number in (160, 161, 162)]

        frames = [receive(client) for _ in ids]
    assert [frame["sequence"] for frame in frames] == [1, 2, 3]
    assert [frame["event"]["id"] for frame in frames] == ids
    assert frames[0]["op"] == "event"
    assert frames[0]["event"]["type"] == "venue.capacity_updated"
    assert frames[0]["event"]["payload"]["capacity"] == 160


def test_a_cursor_resumes_without_a_gap(world: World) -> None:
    for number in (160, 161, 162):
        world.capacity(number)

    with socket(world) as client:
        answer = ask(client, op="subscribe", channel=couple(world), after=1)

        assert answer["last"] == 3
        assert [receive(client)["sequence"] for _ in range(2)] == [2, 3]


def test_a_cursor_that_the_log_never_reached_is_said_to_be_lost(world: World) -> None:
    with socket(world) as client:
        answer = ask(client, op="subscribe", channel=couple(world), after=10**30)
        other_epoch = ask(client, op="subscribe", channel=couple(world), after=0, epoch="another")

    assert answer["recovered"] is False
    assert other_epoch["recovered"] is False


def test_a_lost_hint_costs_seconds_and_no_event(world: World) -> None:
    """Channels forgets its groups when Redis is emptied; the follower finds the entries in the log."""
    with socket(world) as client:
        ask(client, op="subscribe", channel=couple(world))
        _forget_all_groups()

        world.capacity(163)

        assert receive(client, seconds=6)["event"]["payload"]["capacity"] == 163


def _forget_all_groups() -> None:
    client = redis.Redis.from_url(settings.CHANNEL_LAYER_URL)
    for key in client.scan_iter("wedsync:live*"):
        client.delete(key)


def test_a_channel_that_nobody_wrote_to_is_followed_without_a_row(world: World) -> None:
    name = f"made:up:{world.wedding.id}"
    with socket(world) as client:
        told = ask(client, op="subscribe", channel=name)
        assert (told["ok"], told["last"]) == (True, 0)
        assert not Channel.objects.filter(name=name).exists()

        told = ask(client, op="subscribe", channel=couple(world))
        world.capacity(164)

        assert capacity(client) == 164, "it begins to be written to, and is heard"
    with socket(world) as again:
        resumed = ask(again, op="subscribe", channel=couple(world), after=0, epoch=told["epoch"])

        assert resumed["recovered"] is True
        assert capacity(again) == 164


def test_a_ticket_of_another_organization_hears_nothing_of_ours(world: World) -> None:
    stranger = make_world(world.product)
    with socket(stranger) as client, witness(world) as other:
        for one in (world, stranger):
            assert ask(client, op="subscribe", channel=couple(one))["ok"]
        world.capacity(172)
        assert capacity(other) == 172

        stranger.capacity(171)

        assert capacity(client) == 171, "the next frame, with none between"


def test_a_narrow_ticket_covers_its_channels_only(world: World) -> None:
    with socket(world, world.ticket(channels=[couple(world)])) as client:
        assert ask(client, op="subscribe", channel=couple(world))["ok"]
        refused = ask(client, op="subscribe", channel=f"urgent:wedding-day:{world.organization.id}")

    assert refused["error"]["code"] == "forbidden"


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("not json", "bad-request"),
        ("[]", "bad-request"),
        ('{"id":1,"op":"shout"}', "unknown-op"),
        ('{"id":1,"op":"subscribe","channel":"a:b"}', "bad-channel"),
        ('{"id":1,"op":"subscribe","channel":"a:b:c","after":-1}', "bad-request"),
        ('{"id":1,"op":"subscribe","channel":["a"]}', "bad-channel"),
        ('{"id":1,"op":"subscribe","channel":"a:b:c","After":3}', "bad-request"),
        ('{"id":1,"op":"subscribe","chanel":"a:b:c"}', "bad-request"),
        ('{"id":1,"op":"unsubscribe","channel":"a:b:c","after":3}', "bad-request"),
        ('{"id":1,"op":"unsubscribe"}', "bad-channel"),
        ('{"id":1,"op":"ping","channel":"a:b:c"}', "bad-request"),
        ('{"id":1,"op":"ping","op":"subscribe","channel":"a:b:c"}', "bad-request"),
        ('{"id":1,"op":["ping"]}', "unknown-op"),
        ('{"id":NaN,"op":"ping"}', "bad-request"),
    ],
)
def test_what_can_not_be_done_is_answered_and_the_socket_lives_on(world: World, message: str, code: str) -> None:
    with socket(world) as client:
        client.send(message)

        answer = receive(client)

        assert answer["ok"] is False
        assert answer["error"]["code"] == code
        assert ask(client, op="ping")["ok"]


def test_an_unsubscribed_channel_is_silent(world: World) -> None:
    with socket(world) as client, witness(world) as other:
        ask(client, op="subscribe", channel=couple(world))
        assert ask(client, op="unsubscribe", channel=couple(world))["ok"]
        world.capacity(173)
        assert capacity(other) == 173

        assert ask(client, op="subscribe", channel=couple(world))["last"] == 1
        world.capacity(174)

        assert capacity(client) == 174, "the next frame, with none between"


def test_many_sockets_follow_one_channel(world: World) -> None:
    with ExitStack() as stack:
        clients = [stack.enter_context(socket(world)) for _ in range(20)]
        for client in clients:
            ask(client, op="subscribe", channel=couple(world))

        world.capacity(174)

        assert {receive(client)["event"]["payload"]["capacity"] for client in clients} == {174}
