"""The door in while PostgreSQL does not answer, and while its process is told to end: nothing accepted is lost."""

import itertools
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPException

import pytest
from django.db import connection, transaction

from tests.live.product import Product
from tests.live.webs import another_web
from tests.polling import until
from tests.senders import Answer, Sender, make_sender
from wedsync.live.models import ChannelEvent

AWAY = (503, "storage-away")
SENDERS = 8


@contextmanager
def locked(table: str) -> Iterator[None]:
    """As if PostgreSQL did not answer whoever wants the table."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield


@pytest.fixture
def sender(product: Product) -> Sender:
    return make_sender(product.port, "iris_works")


def at_once(sender: Sender, bodies: list[bytes]) -> list[Answer]:
    with ThreadPoolExecutor(len(bodies)) as pool:
        return list(pool.map(sender.within(2).post, bodies))


def taken(sender: Sender, body: bytes) -> Answer:
    """The answer once there is another than to come again."""
    return until(lambda: found if (found := sender.post(body)).outcome != AWAY else None)


def test_while_postgresql_does_not_write_each_answer_comes_in_two_seconds_and_says_come_again(sender: Sender) -> None:
    bodies = [sender.body() for _ in range(10)]
    sender.post(sender.body())  # the door is known

    with locked("webhooks_receipt"):
        answers = at_once(sender, bodies)

    assert {answer.outcome for answer in answers} == {AWAY}
    assert all(0 < int(answer.headers["retry-after"]) <= 60 for answer in answers)
    again = [taken(sender, body) for body in bodies]
    assert {answer.status for answer in again} <= {200, 202}
    assert len({answer.json["id"] for answer in again}) == 10
    assert sender.stored() == (11, 11, 11)


def test_a_refusal_that_can_not_be_kept_is_not_said(sender: Sender) -> None:
    sender.post(sender.body())

    with locked("webhooks_receipt"):
        (signed,) = at_once(sender, [b"{"])
        unsigned = sender.within(2).ask(b"{", [("Content-Type", "application/json")])

    assert signed.outcome == AWAY
    assert unsigned.outcome == (401, "signature-missing")  # waits for nothing
    assert taken(sender, b"{").outcome == (400, "not-json")


def test_a_door_that_can_not_be_looked_up_is_answered_in_two_seconds_too(product: Product) -> None:
    known, unknown = make_sender(product.port, "shootq"), make_sender(product.port, "shootq")
    known.post(known.body())

    with locked("integrations_connection"):
        assert unknown.within(2).post(unknown.body()).outcome == AWAY
        assert known.within(2).post(known.body()).outcome == AWAY

    assert taken(known, known.body()).status == taken(unknown, unknown.body()).status == 202


def test_a_process_that_is_told_to_end_stores_all_that_it_accepts(product: Product) -> None:
    """Clients send without a pause; the ledger of answers is compared with the rows."""
    sender = make_sender(product.port, "party_rental")
    accepted: list[str] = []
    strange: list[object] = []
    ended = threading.Event()

    def send(_: int) -> None:
        for number in itertools.count():
            try:
                answer = here.post(here.body({"capacity": number}))
            except (OSError, HTTPException):
                if ended.is_set():
                    return
                continue
            if answer.status == 202:
                accepted.append(answer.json["id"])
            elif answer.outcome != AWAY or not ended.is_set():
                strange.append(answer)

    with another_web(product) as web, ThreadPoolExecutor(SENDERS) as pool:
        here = sender.at(web.port)
        runs = [pool.submit(send, number) for number in range(SENDERS)]
        until(lambda: len(accepted) > 200)
        ended.set()
        code = web.end()
        for run in runs:
            run.result(10)
        log = web.log.read_text()

    assert code in {0, -15}
    assert strange == []
    stored = {
        str(key)
        for key in ChannelEvent.objects.filter(organization=sender.connection.organization_id).values_list(
            "id", flat=True
        )
    }
    assert set(accepted) <= stored
    assert stored - set(accepted) == set()  # who was stored was also told
    assert "Traceback" not in log
