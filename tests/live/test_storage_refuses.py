"""PostgreSQL answers, and takes no writes: everybody is told to come again, as when it is away."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests
from django.db import connection
from websockets.exceptions import ConnectionClosed

from tests.factories import ApiKeyFactory, WeddingFactory
from tests.live.product import Product
from tests.live.socket_client import connect
from tests.live.webs import Web, another_web
from tests.polling import until
from tests.senders import make_sender
from wedsync.live.access import tickets
from wedsync.weddings.models import ApiKey

READ_ONLY = "25006"
CODES = {
    READ_ONLY: "read-only",
    "25P03": "idle in a transaction",
    "53100": "disk full",
    "53200": "out of memory",
    "53300": "too many connections",
    "57P01": "shut down by an operator",
    "57P02": "crashed",
    "57P03": "starting",
    "57P05": "idle session",
}


@contextmanager
def refusing(table: str, code: str) -> Iterator[None]:
    """Every write to the table fails with this SQLSTATE."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN RAISE EXCEPTION 'refused by a test' USING ERRCODE = '{code}'; END $$"
        )
        cursor.execute(
            f"CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse()"
        )
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP FUNCTION refuse CASCADE")


def is_told_to_come_again(answer: requests.Response) -> bool:
    return answer.status_code == 503 and 0 < int(answer.headers["retry-after"]) <= 60


@pytest.mark.parametrize("code", CODES)
def test_webhooks_and_the_api_are_told_to_come_again(product: Product, code: str) -> None:
    sender = make_sender(product.port, "venue_master")
    key: ApiKey = ApiKeyFactory(key=f"wsk_{sender.connection.id}")
    wedding = WeddingFactory(organization=key.organization)
    body = sender.body()
    sender.post(sender.body())

    with refusing("webhooks_receipt", code):
        refused = sender.post(body)
    with refusing("weddings_wedding", code):
        answer = requests.patch(
            f"{product.base_url}/api/weddings/{wedding.id}/",
            json={"guest_count": 77},
            headers={"Authorization": f"Bearer wsk_{sender.connection.id}"},
            timeout=10,
        )

    assert refused.outcome == (503, "storage-away")
    assert 0 < int(refused.headers["retry-after"]) <= 60
    assert is_told_to_come_again(answer), answer.text
    assert answer.json()["type"] == "/problems/storage-away"
    taken = until(lambda: found if (found := sender.post(body)).status != 503 else None, what="being taken again")
    assert taken.outcome == (202, "accepted")


def test_a_process_whose_write_found_no_room_is_not_ready_for_a_while(product: Product) -> None:
    with another_web(product) as web:
        sender = make_sender(web.port, "venue_master")
        with refusing("webhooks_receipt", "53100"):
            assert sender.post(sender.body()).outcome == (503, "storage-away")

            ready = requests.get(f"http://127.0.0.1:{web.port}/readyz", timeout=5)

        assert (ready.status_code, ready.json()["type"]) == (503, "/problems/storage-full")
        until(web.answers, 20, what="being ready again")


@pytest.fixture(scope="module")
def read_only(product: Product) -> Iterator[Web]:
    """A web process on a PostgreSQL that somebody has made read-only."""
    url = product.environment["DATABASE_URL"] + "&options=-c%20default_transaction_read_only%3Don"
    with another_web(product, probe="/livez", DATABASE_URL=url) as started:
        yield started


def test_webhooks_at_a_read_only_postgresql(read_only: Web) -> None:
    sender = make_sender(read_only.port, "venue_master")
    assert sender.post(sender.body()).outcome == (503, "storage-away")


@pytest.mark.parametrize("path", ["/api/journey/", "/api/channels/tickets/"])
def test_the_api_at_a_read_only_postgresql(read_only: Web, path: str) -> None:
    wedding = WeddingFactory()
    token = f"wsk_{wedding.id}"
    ApiKeyFactory(organization=wedding.organization, key=token)
    body = {"wedding_id": str(wedding.id), "milestone": "Menu", "progress": 5} if "journey" in path else {}

    answer = requests.post(
        f"http://127.0.0.1:{read_only.port}{path}", json=body, headers={"Authorization": f"Bearer {token}"}, timeout=10
    )

    assert is_told_to_come_again(answer), answer.text
    assert answer.json()["type"] == "/problems/storage-away"


def test_signing_in_at_a_read_only_postgresql_says_in_words_what_is_wrong(read_only: Web) -> None:
    session = requests.Session()
    url = f"http://127.0.0.1:{read_only.port}/admin/login/"
    session.get(url, timeout=10).raise_for_status()
    data = {"username": "nobody", "password": "wrong", "csrfmiddlewaretoken": session.cookies["csrftoken"]}

    answer = session.post(url, data=data, headers={"Referer": url}, timeout=10)

    assert is_told_to_come_again(answer), answer.text
    assert "database" in answer.text
    assert answer.headers["content-type"].startswith("text/html")


def test_a_socket_at_a_read_only_postgresql_keeps_its_ticket(product: Product, read_only: Web) -> None:
    key: ApiKey = ApiKeyFactory()
    ticket, _ = tickets.issue(key.organization_id, api_key_id=key.id)

    url = f"ws://127.0.0.1:{read_only.port}/ws/channels/?ticket={ticket}"
    with connect(url) as socket, pytest.raises(ConnectionClosed) as raised:
        socket.recv(timeout=5)

    assert raised.value.rcvd
    assert raised.value.rcvd.code == 3003
    with connect(f"{product.ws_url}?ticket={ticket}") as socket:
        socket.send(json.dumps({"id": 1, "op": "subscribe", "channel": f"form:response:{key.id}"}))
        assert json.loads(socket.recv(timeout=5))["ok"]
