"""The socket at /ws/channels/, with a plain WebSocket client."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
import redis
import requests
from django.conf import settings
from django.contrib.auth.hashers import make_password
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from tests.factories import MembershipFactory
from tests.live.world import World, make_world
from wedsync.live.models import Channel


@contextmanager
def socket(world: World, ticket: str | None = None) -> Iterator[ClientConnection]:
    url = f"{world.product.ws_url}?ticket={ticket or world.ticket()}"
    with connect(url, subprotocols=[Subprotocol("wedsync.v1")], proxy=None) as client:
        yield client


def ask(client: ClientConnection, **request: Any) -> dict[str, Any]:
    client.send(json.dumps({"id": 1, **request}))
    return receive(client)


def receive(client: ClientConnection, seconds: float = 5) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(client.recv(timeout=seconds))
    return found


def capacity(client: ClientConnection) -> int:
    """What the next frame says; it must be the event of a changed capacity."""
    found: int = receive(client)["event"]["payload"]["capacity"]
    return found


def couple(world: World) -> str:
    return f"couple:dashboard:{world.wedding.id}"


@contextmanager
def witness(world: World) -> Iterator[ClientConnection]:
    """A socket that may hear the couple's channel: what it has heard, another one could have heard too."""
    with socket(world) as client:
        assert ask(client, op="subscribe", channel=couple(world))["ok"]
        yield client


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


def test_a_ticket_lets_in_once(world: World) -> None:
    ticket = world.ticket()
    with socket(world, ticket) as client:
        assert ask(client, op="ping")["ok"]

    with socket(world, ticket) as again:
        refused_within(again)


@pytest.mark.parametrize("ticket", ["wst_invented", "%00", "x" * 3000])
def test_without_a_valid_ticket_nothing_is_heard(world: World, ticket: str) -> None:
    with socket(world, ticket) as client:
        refused_within(client)


@pytest.mark.parametrize("query", ["tickt=wst_x", "organisation=other", "ticket={ticket}&channels=a:b:c"])
def test_an_unknown_parameter_opens_nothing(world: World, query: str) -> None:
    url = f"{world.product.ws_url}?{query.format(ticket=world.ticket())}"
    with connect(url, proxy=None, origin=Origin(world.product.base_url)) as client:
        refused_within(client)


@pytest.mark.parametrize("origin", ["http://127.0.0.1", "http://127.0.0.1:1", "https://127.0.0.1:{port}"])
def test_a_page_of_another_port_or_scheme_is_not_ours(world: World, origin: str) -> None:
    named = Origin(origin.format(port=world.product.port))
    with pytest.raises(InvalidStatus), connect(world.product.ws_url, proxy=None, origin=named):
        pass


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


def refused_within(client: ClientConnection) -> None:
    with pytest.raises(ConnectionClosed) as closed:
        client.recv(timeout=5)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 3500


def test_without_ticket_and_session_nothing_is_heard(world: World) -> None:
    with connect(world.product.ws_url, proxy=None, origin=Origin(world.product.base_url)) as client:
        refused_within(client)
    with pytest.raises(InvalidStatus), connect(world.product.ws_url, proxy=None, origin=Origin("https://e.example")):
        pass


def test_a_session_of_staff_hears_its_own_organization_only(world: World) -> None:
    stranger = make_world(world.product)
    member = MembershipFactory(organization=stranger.organization)
    member.user.password = make_password("a long password", hasher="pbkdf2_sha256")
    member.user.save()
    browser = sign_in(world, member.user.username)
    cookie = "; ".join(f"{item.name}={item.value}" for item in browser.cookies)
    headers = {"Cookie": cookie}
    with connect(
        world.product.ws_url,
        proxy=None,
        origin=Origin(world.product.base_url),
        additional_headers=headers,
    ) as client:
        assert ask(client, op="subscribe", channel=couple(world))["ok"]
        assert ask(client, op="subscribe", channel=couple(stranger))["ok"]

        with witness(world) as other:
            world.capacity(170)
            assert capacity(other) == 170

        stranger.capacity(171)

        assert capacity(client) == 171, "the next frame, with none between"


def sign_in(world: World, username: str) -> requests.Session:
    browser = requests.Session()
    url = f"{world.product.base_url}/admin/login/"
    page = browser.get(url, timeout=10)
    token = page.text.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
    form = {"username": username, "password": "a long password", "csrfmiddlewaretoken": token}
    answer = browser.post(url, data=form, headers={"Referer": url}, timeout=10, allow_redirects=False)
    assert answer.status_code == 302, answer.text[:500]
    return browser


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
