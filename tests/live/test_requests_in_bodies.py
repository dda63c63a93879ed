"""A request with a body where none is expected: the body is never taken for the next request on its connection."""

from uuid import uuid4

import pytest

from tests.factories import ConnectionFactory
from tests.live.product import Product
from tests.polling import until
from tests.raw_http import RawConnection, chunked
from tests.senders import PATH, make_sender

DOORS = (
    "/",
    "/admin/login/",
    "/unsubscribe/x/",
    "/nothing/here",
    "/static/console/icon.svg",
    "/api/weddings/",
    "/api/journey/",
    "/api/integrations/systems/",
    "/api/schema/",
    "/ws/channels/",
    "/livez",
    "/readyz",
    "vendor",
    "provider",
)
EARLY = ("/livez", "/readyz", "vendor", "provider")
"""Doors that answer a method without a body before the body is here."""


@pytest.fixture
def at(product: Product, path: str) -> str:
    """The path itself; of a vendor's or a provider's door that of a real connection."""
    if path == "vendor":
        return f"{PATH}/{make_sender(product.port, 'venue_master').connection.id}"
    if path == "provider":
        return f"/api/webhooks/providers/resend/{ConnectionFactory(system__kind='email').id}"
    return path


@pytest.fixture
def name() -> str:
    """Of the request that is hidden in a body."""
    return f"hidden-{uuid4().hex}"


def hidden(name: str) -> bytes:
    return f"GET /{name} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()


def was_answered(product: Product, name: str, after: str) -> bool:
    """Whether a request had a line in the log before that of another one, which came later."""
    until(lambda: after in product.log("web"), what="the line of the later request")
    return name in product.log("web").partition(after)[0]


def ask_next(product: Product, client: RawConnection) -> str:
    """A request on the same connection, which is still in order; returns what the log calls it."""
    after = f"next-{uuid4().hex}"
    client.ask("GET", "/livez", {"X-Request-ID": after})
    answer = client.answer()
    assert (answer.status, answer.headers["x-request-id"]) == (200, after)
    return after


@pytest.mark.parametrize("framed", ["announced", "in chunks", "in small chunks"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", DOORS)
def test_a_request_in_a_body_is_not_answered(product: Product, at: str, method: str, framed: str, name: str) -> None:
    inner = hidden(name)
    pieces = [inner] if framed == "in chunks" else [inner[place : place + 3] for place in range(0, len(inner), 3)]
    headers = {"Content-Length": str(len(inner))} if framed == "announced" else {"Transfer-Encoding": "chunked"}
    with RawConnection(product.port) as client:
        client.ask(method, at, headers, inner if framed == "announced" else chunked(pieces))
        client.answer(method)

        after = ask_next(product, client)

    assert not was_answered(product, name, after)


@pytest.mark.parametrize("path", EARLY)
def test_a_body_that_comes_after_its_answer_is_no_request(product: Product, at: str, name: str) -> None:
    inner = hidden(name)
    with RawConnection(product.port) as client:
        client.ask("GET", at, {"Content-Length": str(len(inner))})
        client.answer()
        for place in range(len(inner)):
            client.send(inner[place : place + 1])

        after = ask_next(product, client)

    assert not was_answered(product, name, after)


@pytest.mark.parametrize("path", ["/livez", "/api/weddings/", "vendor"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Length": "0", "Transfer-Encoding": "chunked"},
        {"Transfer-Encoding": "chunked, identity"},
        {"Content-Length": "0, 60"},
        {"Content-Length": "+60"},
        {"Content-Length ": "60"},
    ],
    ids=str,
)
def test_a_length_that_could_be_read_in_two_ways_ends_the_connection(
    product: Product, at: str, headers: dict[str, str], name: str
) -> None:
    with RawConnection(product.port) as client:
        client.ask("GET", at, headers, hidden(name))

        assert client.answer().status == 400
        assert client.is_closed_by_peer()

    with RawConnection(product.port) as client:
        assert not was_answered(product, name, ask_next(product, client))


def test_a_request_that_stands_for_itself_is_answered(product: Product, name: str) -> None:
    """So the others can fail: behind a body of no bytes the same text is a request."""
    with RawConnection(product.port) as client:
        client.ask("GET", "/livez", {"Content-Length": "0"})
        client.answer()
        client.send(hidden(name))
        assert client.answer().status == 404

        assert was_answered(product, name, ask_next(product, client))
