"""Who may open the socket at /ws/channels/, and what everybody else is told."""

import pytest
from django.contrib.auth.hashers import make_password
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin, Subprotocol

from tests.factories import MembershipFactory
from tests.live.socket_client import ask, capacity, connect, couple, refused_within, sign_in, socket, witness
from tests.live.world import World, make_world
from wedsync.live.close_codes import CloseCode
from wedsync.weddings.models import ApiKey, ApiScope


def test_a_ticket_lets_in_once(world: World) -> None:
    ticket = world.ticket()
    with socket(world, ticket) as client:
        assert ask(client, op="ping")["ok"]

    with socket(world, ticket) as again:
        refused_within(again, CloseCode.BAD_TICKET)


@pytest.mark.parametrize("ticket", ["wst_invented", "%00", "x" * 3000])
def test_without_a_valid_ticket_nothing_is_heard(world: World, ticket: str) -> None:
    with socket(world, ticket) as client:
        refused_within(client, CloseCode.BAD_TICKET)


@pytest.mark.parametrize(
    "query", ["tickt=wst_x", "organisation=other", "ticket={ticket}&channels=a:b:c", "%F0%9F%92%90" * 200]
)
def test_an_unknown_parameter_opens_nothing(world: World, query: str) -> None:
    url = f"{world.product.ws_url}?{query.format(ticket=world.ticket())}"
    with connect(url, proxy=None, origin=Origin(world.product.base_url)) as client:
        refused_within(client, CloseCode.WRONG_PROTOCOL)


def test_another_subprotocol_is_refused_in_a_way_that_a_browser_learns_and_the_ticket_stays_good(world: World) -> None:
    ticket = world.ticket()
    url = f"{world.product.ws_url}?ticket={ticket}"
    offered = [Subprotocol("wedsync.v2"), Subprotocol("other")]
    with connect(url, subprotocols=offered, proxy=None) as client:
        assert client.subprotocol == "wedsync.v2", "a browser drops a socket that names none of those it offered"
        refused_within(client, CloseCode.WRONG_PROTOCOL)

    with connect(url, subprotocols=[*offered, Subprotocol("wedsync.v1")], proxy=None) as client:
        assert client.subprotocol == "wedsync.v1"
        assert ask(client, op="ping")["ok"]


def test_a_ticket_whose_key_lost_the_right_is_final(world: World) -> None:
    ticket = world.ticket()
    ApiKey.objects.filter(organization=world.organization).update(scopes=[ApiScope.EVENTS_READ])

    with socket(world, ticket) as client:
        refused_within(client, CloseCode.NOT_ALLOWED)


@pytest.mark.parametrize("origin", ["http://127.0.0.1", "http://127.0.0.1:1", "https://127.0.0.1:{port}"])
def test_a_page_of_another_port_or_scheme_is_not_ours(world: World, origin: str) -> None:
    named = Origin(origin.format(port=world.product.port))
    with pytest.raises(InvalidStatus), connect(world.product.ws_url, proxy=None, origin=named):
        pass


def test_without_ticket_and_session_nothing_is_heard(world: World) -> None:
    with connect(world.product.ws_url, proxy=None, origin=Origin(world.product.base_url)) as client:
        refused_within(client, CloseCode.NOT_ALLOWED)
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
