"""A socket ends with the right by which it was opened, and nothing comes over it afterwards."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
import requests
from django.contrib.auth.hashers import make_password
from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from django.utils import timezone
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection
from websockets.typing import Origin

from tests.factories import MembershipFactory
from tests.live.socket_client import ask, capacity, connect, couple, refused_within, sign_in, socket, witness
from tests.live.world import World
from wedsync.live.close_codes import CloseCode
from wedsync.weddings.models import ApiKey, Membership

GONE, SHRUNK = 3507, 3014


def closed_with(client: ClientConnection) -> int:
    """The code of the close, which must come within five seconds and before anything else."""
    with pytest.raises(ConnectionClosed) as closed:
        client.recv(timeout=5)
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code


def keys(world: World) -> QuerySet[ApiKey]:
    return ApiKey.objects.filter(organization=world.organization)


KEY_ENDS: dict[str, tuple[Callable[[World], object], int]] = {
    "deleted": (lambda world: keys(world).delete(), GONE),
    "expired": (lambda world: keys(world).update(expires_at=timezone.now()), GONE),
    "without live:read": (lambda world: keys(world).update(scopes=["events:read"]), SHRUNK),
    "with fewer scopes": (lambda world: keys(world).update(scopes=["live:read"]), SHRUNK),
}


@pytest.mark.parametrize("end", KEY_ENDS)
@pytest.mark.parametrize("follows", [True, False], ids=["following a channel", "idle"])
def test_a_socket_ends_with_the_key_of_its_ticket(world: World, end: str, follows: bool) -> None:
    withdraw, code = KEY_ENDS[end]
    with socket(world) as client:
        if follows:
            assert ask(client, op="subscribe", channel=couple(world))["ok"]
        withdraw(world)

        assert closed_with(client) == code


@pytest.fixture
def member(world: World) -> Membership:
    made = MembershipFactory(organization=world.organization, role="owner")
    made.user.password = make_password("a long password", hasher="pbkdf2_sha256")
    made.user.save()
    return made


@contextmanager
def staff_socket(world: World, browser: requests.Session) -> Iterator[ClientConnection]:
    cookie = "; ".join(f"{item.name}={item.value}" for item in browser.cookies)
    origin = Origin(world.product.base_url)
    with connect(world.product.ws_url, proxy=None, origin=origin, additional_headers={"Cookie": cookie}) as client:
        yield client


def sign_out(world: World, member: Membership, browser: requests.Session) -> None:
    url = f"{world.product.base_url}/admin/logout/"
    headers = {"Referer": url, "X-CSRFToken": browser.cookies["csrftoken"]}
    assert browser.post(url, headers=headers, timeout=10).status_code == 200


def change_user(**columns: object) -> Callable[[World, Membership, requests.Session], object]:
    def change(world: World, member: Membership, browser: requests.Session) -> object:
        return type(member.user).objects.filter(pk=member.user.pk).update(**columns)

    return change


STAFF_ENDS: dict[str, tuple[Callable[[World, Membership, requests.Session], object], int]] = {
    "membership deleted": (lambda world, member, browser: member.delete(), GONE),
    "role lowered": (lambda world, member, browser: Membership.objects.update(role="planner"), SHRUNK),
    "account deactivated": (change_user(is_active=False), GONE),
    "account no longer staff": (change_user(is_staff=False), GONE),
    "account deleted": (lambda world, member, browser: member.user.delete(), GONE),
    "password changed": (change_user(password="!another"), GONE),
    "signed out": (sign_out, GONE),
    "session expired": (
        lambda world, member, browser: Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1)),
        GONE,
    ),
}


@pytest.mark.parametrize("end", STAFF_ENDS)
def test_a_socket_of_staff_ends_with_what_let_it_in(world: World, member: Membership, end: str) -> None:
    withdraw, code = STAFF_ENDS[end]
    browser = sign_in(world, member.user.username)
    with staff_socket(world, browser) as client:
        assert ask(client, op="subscribe", channel=couple(world))["ok"]
        withdraw(world, member, browser)

        assert closed_with(client) == code


def test_a_session_that_ends_leaves_the_others_open(world: World, member: Membership) -> None:
    first, second = sign_in(world, member.user.username), sign_in(world, member.user.username)
    with staff_socket(world, first) as ending, staff_socket(world, second) as staying, witness(world) as other:
        assert ask(staying, op="subscribe", channel=couple(world))["ok"]
        sign_out(world, member, first)
        assert closed_with(ending) == GONE

        world.capacity(181)

        assert capacity(other) == capacity(staying) == 181


def test_a_ticket_of_a_key_that_has_expired_opens_nothing(world: World) -> None:
    ticket = world.ticket()
    keys(world).update(expires_at=timezone.now())

    with socket(world, ticket) as client:
        refused_within(client, CloseCode.NOT_ALLOWED)


@pytest.mark.parametrize("size", [65_537, 300_000])
def test_a_frame_that_is_too_large_ends_its_socket(world: World, size: int) -> None:
    with socket(world) as client:
        client.send(json.dumps({"id": "x" * size, "op": "ping"}))

        assert closed_with(client) == 1009


def test_a_frame_of_sixty_thousand_bytes_is_answered(world: World) -> None:
    with socket(world) as client:
        client.send(json.dumps({"id": 1, "op": "ping"}) + " " * 60_000)

        assert json.loads(client.recv(timeout=5)) == {"id": 1, "ok": True}
