"""``/livez``, ``/readyz`` and ``/metrics`` of a real web process: never behind pages, under any name, in time."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection, transaction

from tests.live.product import Product
from tests.live.webs import Web, another_web
from tests.polling import until
from tests.raw_http import Answer, RawConnection
from tests.relay import Relay, relayed

PROBES = ("/livez", "/readyz", "/metrics")
THREADS = 10
WITHIN = 4.0
"""Seconds of patience: PostgreSQL has two of them, and the machine that runs the tests is busy."""


def ask(port: int, path: str, *, host: str = "127.0.0.1", patience: float = WITHIN) -> Answer:
    with RawConnection(port, patience=patience) as client:
        client.send(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        return client.answer()


@pytest.mark.parametrize("path", PROBES)
def test_probes_never_wait_for_pages(product: Product, path: str) -> None:
    """Every thread of the pages waits for a lock of PostgreSQL, and more requests wait for a thread."""
    with contextlib.ExitStack() as open_ones, transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE django_session IN ACCESS EXCLUSIVE MODE")
        cookie = {"Cookie": f"wedsync_session={'x' * 32}"}
        for _ in range(2 * THREADS):
            open_ones.enter_context(RawConnection(product.port)).ask("GET", "/admin/", cookie)

        assert ask(product.port, path).status == 200


@pytest.fixture(scope="module")
def secure(product: Product) -> Iterator[Web]:
    where = {"WEDSYNC_ALLOWED_HOSTS": "wedsync.example", "WEDSYNC_PUBLIC_URL": "https://wedsync.example"}
    with another_web(product, WEDSYNC_SECURE="1", **where) as started:
        yield started


@pytest.mark.parametrize("host", ["wedsync.example", "10.0.0.7:8000", "elsewhere.example", "not a host!"])
@pytest.mark.parametrize("path", PROBES)
def test_probes_answer_under_any_name_and_are_not_sent_to_https(secure: Web, path: str, host: str) -> None:
    assert ask(secure.port, path, host=host).status == 200
    assert ask(secure.port, "/admin/login/", host="elsewhere.example").status in {301, 400}


@pytest.fixture
def wire(product: Product) -> Iterator[Relay]:
    parts = urlsplit(product.environment["DATABASE_URL"])
    query = parse_qs(parts.query)
    with relayed(Path(query["host"][0]) / f".s.PGSQL.{query['port'][0]}") as relay:
        yield relay


def test_while_postgresql_is_frozen_readiness_says_no_within_its_bound_and_yes_afterwards(
    product: Product, wire: Relay
) -> None:
    parts = urlsplit(product.environment["DATABASE_URL"])
    url = f"postgresql://{parts.username}:{parts.password}@127.0.0.1:{wire.port}{parts.path}"
    with another_web(product, DATABASE_URL=url) as web:
        wire.freeze()
        for _ in range(3):
            frozen = ask(web.port, "/readyz")
            assert frozen.problem == (503, "storage-away")
            assert frozen.headers["retry-after"]
        assert ask(web.port, "/livez").status == 200
        assert ask(web.port, "/metrics", patience=8).problem == (503, "storage-away")
        wire.thaw()
        until(lambda: ask(web.port, "/readyz").status == 200, 15, what="readiness after the thaw")
        until(lambda: ask(web.port, "/metrics", patience=8).status == 200, 15, what="metrics after the thaw")


def test_a_postgresql_that_takes_no_writes_is_not_ready(product: Product) -> None:
    url = product.environment["DATABASE_URL"] + "&options=-c%20default_transaction_read_only%3Don"
    with another_web(product, probe="/livez", DATABASE_URL=url) as web:
        answer = ask(web.port, "/readyz")

    assert answer.problem == (503, "storage-read-only")
    assert answer.headers["retry-after"]
