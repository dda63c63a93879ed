"""A plain WebSocket client of the socket at /ws/channels/, which checks all it is told against docs/asyncapi.yaml."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
import requests
from websockets.exceptions import ConnectionClosed
from websockets.sync import client as websockets_client
from websockets.sync.client import ClientConnection
from websockets.typing import Subprotocol

from tests.asyncapi import Conversation
from tests.live.world import World
from wedsync.live.close_codes import CloseCode


class CheckedConnection(ClientConnection):
    """A connection on which a message that the description does not allow fails the test."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._conversation = Conversation()

    def send(self, message: Any, *, text: bool | None = None) -> None:
        self._conversation.asked(message)
        super().send(message, text=text)

    def recv(self, timeout: float | None = None, decode: bool | None = None) -> Any:
        message = super().recv(timeout, decode)
        self._conversation.told(message)
        return message


connect = partial(websockets_client.connect, create_connection=CheckedConnection)
"""Live tests connect by this alone; ``tests/wedsync/api/test_asyncapi.py`` sees to it."""


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


def refused_within(client: ClientConnection, code: CloseCode) -> None:
    with pytest.raises(ConnectionClosed) as closed:
        client.recv(timeout=5)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == code


def sign_in(world: World, username: str) -> requests.Session:
    browser = requests.Session()
    url = f"{world.product.base_url}/admin/login/"
    page = browser.get(url, timeout=10)
    token = page.text.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
    form = {"username": username, "password": "a long password", "csrfmiddlewaretoken": token}
    answer = browser.post(url, data=form, headers={"Referer": url}, timeout=10, allow_redirects=False)
    assert answer.status_code == 302, answer.text[:500]
    return browser
