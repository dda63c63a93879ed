"""The limits of the door in, at a web process with low ones. Each test sends from addresses of its own."""

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from integrations.models import Connection
from tests.live.product import Product
from tests.live.webs import Web, another_web
from tests.polling import until
from tests.senders import JSON, PATH, Answer, Pairs, Sender, make_sender
from webhooks.models import Receipt

PER_ADDRESS = 5
PER_CONNECTION = 3
TOO_MANY = (429, "too-many-requests")
ACCEPTED = (202, "accepted")
STRANGERS = (f"127.2.{number // 200}.{number % 200 + 1}" for number in itertools.count())
PROXY = "127.1.0.1"


@pytest.fixture(scope="module")
def web(product: Product) -> Iterator[Web]:
    low = {"WEDSYNC_LIMIT_PER_ADDRESS": str(PER_ADDRESS), "WEDSYNC_LIMIT_PER_CONNECTION": str(PER_CONNECTION)}
    with another_web(product, WEDSYNC_TRUSTED_PROXIES="127.1.0.0/16", **low) as started:
        yield started


@pytest.fixture
def sender(web: Web) -> Sender:
    return make_sender(web.port, "venue_master").at(web.port, next(STRANGERS))


def limited(answer: Answer) -> bool:
    """Whether it is the one for too many; it must say when to come again."""
    if answer.outcome != TOO_MANY:
        return False
    assert answer.headers["retry-after"] == answer.headers["ratelimit-reset"]
    assert 0 < int(answer.headers["retry-after"]) <= 3600
    assert answer.headers["ratelimit-remaining"] == "0"
    return True


def forwarded(sender: Sender, *values: str) -> Answer:
    body = sender.body()
    headers: Pairs = [JSON, *sender.sign(body).items(), *(("X-Forwarded-For", value) for value in values)]
    return sender.ask(body, headers)


def test_of_one_address_everything_counts_and_nothing_more_is_looked_at(sender: Sender) -> None:
    asked = [
        sender.ask(b"", [], path=f"{PATH}/wsc_nobody"),
        sender.ask(b"", [], method="GET"),
        sender.ask(b"{", [JSON]),
        sender.post(b"{"),
        sender.post(sender.body()),
    ]

    assert [answer.status for answer in asked] == [404, 405, 401, 400, 202]
    assert [answer.headers["ratelimit-remaining"] for answer in asked[:3]] == ["4", "3", "2"]
    assert limited(sender.post(sender.body()))
    assert limited(sender.ask(b"", [], path=f"{PATH}/wsc_nobody"))
    assert sender.at(sender.port, next(STRANGERS)).post(sender.body()).outcome == ACCEPTED
    assert sender.stored() == (2, 2, 2)


def test_a_stranger_does_not_burn_the_quota_of_a_connection(sender: Sender) -> None:
    for _ in range(4):
        stranger = sender.at(sender.port, next(STRANGERS))
        for body in (sender.body(), b"{", b""):
            assert stranger.ask(body, [JSON, *sender.sign(body, secret="guessed").items()]).status == 401

    assert sender.post(sender.body()).headers["ratelimit-remaining"] == str(PER_CONNECTION - 1)


def test_verified_requests_of_a_connection_count_from_wherever_they_come(sender: Sender) -> None:
    def send() -> Answer:
        return sender.at(sender.port, next(STRANGERS)).post(sender.body())

    answers = [send() for _ in range(PER_CONNECTION)]
    assert [answer.outcome for answer in answers] == [ACCEPTED] * PER_CONNECTION
    assert [answer.headers["ratelimit-limit"] for answer in answers] == ["3"] * 3
    assert limited(send())
    assert sender.stored() == (3, 3, 3)
    receipt = until(lambda: Receipt.objects.filter(connection=sender.connection, verdict="rejected").first())
    assert (receipt.slug, receipt.signed) == ("too-many-requests", True)


def test_a_connection_over_its_limit_still_says_401_first(sender: Sender) -> None:
    for _ in range(PER_CONNECTION + 1):
        sender.at(sender.port, next(STRANGERS)).post(sender.body())

    assert sender.ask(b"{", [JSON]).outcome == (401, "signature-missing")
    assert limited(sender.at(sender.port, next(STRANGERS)).post(b"{"))


def test_a_limit_of_the_connections_own_counts_instead_and_can_be_raised(web: Web) -> None:
    sender = make_sender(web.port, "studio_cloud", limit_per_hour=1)

    def send() -> Answer:
        return sender.at(web.port, next(STRANGERS)).post(sender.body())

    assert send().outcome == ACCEPTED
    assert limited(send())
    Connection.objects.filter(id=sender.connection.id).update(limit_per_hour=1_000)
    answer = until(lambda: found if (found := send()).outcome == ACCEPTED else None)
    assert answer.headers["ratelimit-limit"] == "1000"


def test_a_vendors_own_networks_are_spared_the_limit_of_addresses_only(web: Web) -> None:
    sender = make_sender(web.port, "shootq", networks=["127.4.0.0/16", "2001:db8::/32"], limit_per_hour=10)
    here = sender.at(web.port, "127.4.0.9")
    here.ask(b"{", [JSON])  # the first one of all makes the door known, with its networks

    asked = [here.ask(b"{", [JSON]) for _ in range(2 * PER_ADDRESS)]
    posted = [here.post(here.body()) for _ in range(11)]

    assert {answer.outcome for answer in asked} == {(401, "signature-missing")}
    assert {answer.outcome for answer in posted[:10]} == {ACCEPTED}
    assert limited(posted[10])


def test_who_is_spared_at_one_door_is_not_at_another(web: Web, sender: Sender) -> None:
    make_sender(web.port, "shootq", networks=["127.5.0.0/16"])
    here = sender.at(web.port, "127.5.0.9")

    assert [here.ask(b"{", [JSON]).status for _ in range(PER_ADDRESS + 1)] == [401] * PER_ADDRESS + [429]


def test_a_spared_vendor_gets_in_though_its_address_was_over_the_limit_before_the_door_was_known(web: Web) -> None:
    sender = make_sender(web.port, "shootq", networks=["127.6.0.0/16"])
    here = sender.at(web.port, "127.6.0.9")

    asked = [here.ask(b"", [], path=f"{PATH}/wsc_nobody") for _ in range(PER_ADDRESS + 1)]

    assert [answer.status for answer in asked] == [404] * PER_ADDRESS + [429]
    until(lambda: here.post(here.body()).outcome == ACCEPTED)


def test_strangers_are_not_believed_who_they_say_they_are(web: Web) -> None:
    sender = make_sender(web.port, "iris_works", limit_per_hour=100).at(web.port, next(STRANGERS))

    answers = [forwarded(sender, f"198.51.100.{number}") for number in range(PER_ADDRESS + 1)]

    assert [answer.status == 429 for answer in answers] == [False] * PER_ADDRESS + [True]
    accepted = Receipt.objects.filter(connection=sender.connection, verdict="accepted")
    assert set(accepted.values_list("remote_address", flat=True)) == {sender.here}


def test_a_trusted_proxy_is_believed_in_the_last_address_that_is_not_trusted_itself(sender: Sender) -> None:
    behind = sender.at(sender.port, PROXY)

    for values in (
        ("198.51.100.1",),
        ("203.0.113.9, 198.51.100.2",),
        ("203.0.113.9, 198.51.100.3, 127.1.0.7",),
    ):
        assert forwarded(behind, *values).outcome == ACCEPTED
    seen = Receipt.objects.filter(connection=sender.connection, verdict="accepted").order_by("id")
    assert list(seen.values_list("remote_address", flat=True)) == ["198.51.100.1", "198.51.100.2", "198.51.100.3"]


def test_a_proxy_that_names_the_sender_in_a_second_header_is_understood(sender: Sender) -> None:
    assert forwarded(sender.at(sender.port, PROXY), "203.0.113.9", "198.51.100.4").outcome == ACCEPTED
    assert Receipt.objects.get(connection=sender.connection).remote_address == "198.51.100.4"


def test_senders_behind_a_trusted_proxy_are_counted_apart(sender: Sender) -> None:
    behind = sender.at(sender.port, PROXY)

    def ask(address: str) -> int:
        return behind.ask(b"{", [JSON, ("X-Forwarded-For", address)]).status

    assert [ask("198.51.101.1") for _ in range(PER_ADDRESS + 1)] == [401] * PER_ADDRESS + [429]
    assert ask("198.51.101.2") == 401
    assert [ask(f"2001:db8:7:7::{number}") for number in range(PER_ADDRESS + 1)] == [401] * PER_ADDRESS + [429]
    assert ask("2001:db8:7:8::1") == 401


@pytest.mark.parametrize("value", ["unknown", "", "198.51.100.7:1234", "a" * 5_000, "_hidden, '; --", "[::1", "\xff"])
def test_whatever_a_proxy_writes_the_request_is_answered(sender: Sender, value: str) -> None:
    assert forwarded(sender.at(sender.port, PROXY), value).status in {202, 429}


def test_fifty_copies_at_two_processes_make_one_event(product: Product, web: Web) -> None:
    sender = make_sender(web.port, "party_rental", limit_per_hour=1_000)
    body = sender.body()
    ports = itertools.cycle([web.port, product.port])
    senders = [sender.at(next(ports), next(STRANGERS)) for _ in range(50)]

    with ThreadPoolExecutor(25) as pool:
        answers = list(pool.map(lambda each: each.post(body), senders))

    assert sorted(answer.status for answer in answers) == [200] * 49 + [202]
    assert len({answer.json["id"] for answer in answers}) == 1
    assert sender.stored() == (1, 1, 1)
