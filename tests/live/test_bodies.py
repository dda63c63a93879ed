"""Bodies that a vendor signed and that are still not right, for every vendor, over HTTP; and odd ones that are."""

import json

import pytest

from integrations.vendors import VENDORS
from tests.live.product import Product
from tests.senders import Sender, make_sender
from webhooks.models import Receipt
from wedsync.live.models import ChannelEvent

NOT_JSON = (400, "not-json")
BAD_SCHEMA = (422, "schema-violation")
ACCEPTED = (202, "accepted")
MARK = b'"MARK"'


@pytest.fixture(params=VENDORS)
def sender(product: Product, request: pytest.FixtureRequest) -> Sender:
    return make_sender(product.port, request.param)


def with_value(sender: Sender, value: bytes) -> bytes:
    """An envelope with a value, written as given, in a field that we do not know."""
    return sender.body({"note": "MARK"}).replace(MARK, value)


def nested(levels: int) -> bytes:
    """A value of so many levels, with one more in the middle."""
    return b'{"a":[' * (levels // 2) + b"[" * (levels % 2) + b"1" + b"]" * (levels % 2) + b"]}" * (levels // 2)


@pytest.mark.parametrize(
    "value",
    [
        b"NaN", b"Infinity", b"-Infinity", b"1e400", b"-1e400", b"9" * 400, b"-" + b"9" * 400, b"01", b"0x1", b".5",
        b"+1", b"'text'", b"undefined", b"True", b"", b"1,", b"1}", b'"\x01"', b'"\n"', b'"\t"', b'"\x00"', b'"\x1f"',
        b'"\\x41"', b'"\\ud8"', b'"\xff"', b'"\xc3"', b'"\xc0\xaf"', b'"\xed\xa0\x80"', b'"\xf4\x90\x80\x80"',
        b'{"a":1,"a":1}', b'{"a":1,"\\u0061":2}', b"[1 2]", b"[1,]", b"{,}", b"/* 1 */ 1", nested(31), nested(5_000),
    ],
    ids=lambda value: repr(value)[:20],
)  # fmt: skip
def test_a_value_that_is_no_strict_json_is_400(sender: Sender, value: bytes) -> None:
    assert sender.post(with_value(sender, value)).outcome == NOT_JSON
    assert sender.stored() == (0, 0, 0)


def test_a_whole_body_that_is_no_strict_json_is_400(sender: Sender) -> None:
    body = sender.body()

    for strange in (
        b"",
        b" ",
        b"\x00",
        body + body,
        body + b"\x00",
        body[:-1],
        body[1:],
        b"\xef\xbb\xbf" * 2 + body,
        body.decode().encode("utf-16"),
        body.decode().encode("utf-32"),
        body.replace(b'"payload"', b'"id":"other","payload"'),
        b"[" * 100_000,
        b'{"a":' * 50_000,
    ):
        assert sender.post(strange).outcome == NOT_JSON, strange[:20]
    assert sender.stored() == (0, 0, 0)


@pytest.mark.parametrize(
    "value", [b'"\\u0000"', b'"a\\u0000b"', b'{"\\u0000":1}', b'"\\ud800"', b'"\\udc00\\ud800"', b'[["\\udfff"]]']
)
def test_text_that_can_not_be_stored_is_422(sender: Sender, value: bytes) -> None:
    assert sender.post(with_value(sender, value)).outcome == BAD_SCHEMA
    assert sender.stored() == (0, 0, 0)


@pytest.mark.parametrize("name", ["id", "eventType"])
def test_an_envelope_whose_own_texts_can_not_be_stored_is_422(sender: Sender, name: str) -> None:
    for odd in ("a\x00", "\ud800"):
        assert sender.post(sender.body(**{name: odd})).outcome == BAD_SCHEMA
    assert sender.stored() == (0, 0, 0)


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (b"9" * 300, int("9" * 300)),
        (b"1e308", 10**308),
        (b"%d" % 2**63, 2**63),
        (b"%d" % -(2**64), -(2**64)),
        (b"-0.0", -0.0),
        (b"1e-400", 0.0),
        (b'"\\ud83d\\ude00"', "\U0001f600"),
        ('"Größe, \U0001f389, שלום"'.encode(), "Größe, \U0001f389, שלום"),
        (b'"\\/"', "/"),
        (b"null", None),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_odd_values_that_are_json_are_kept_as_said(sender: Sender, value: bytes, kept: object) -> None:
    body = with_value(sender, value)

    answer = sender.post(body)

    assert answer.outcome == ACCEPTED
    assert ChannelEvent.objects.get(id=answer.json["id"]).payload["extra"]["note"] == kept
    assert bytes(Receipt.objects.get(id=answer.json["id"]).body) == body


def test_32_levels_are_taken(sender: Sender) -> None:
    assert sender.post(with_value(sender, nested(30))).outcome == ACCEPTED


def test_ids_may_be_200_letters_of_any_script(sender: Sender) -> None:
    for external_id in ("\U0001f389" * 200, "'; DROP TABLE webhooks_receipt; --", "../..", " "):
        body = sender.body(id=external_id)
        assert sender.post(body).outcome == ACCEPTED
        assert sender.post(body).outcome == (200, "duplicate")
        assert Receipt.objects.filter(connection=sender.connection, external_id=external_id).count() == 1


def test_space_around_the_envelope_is_json_too(sender: Sender) -> None:
    body = b" \r\n\t" + json.dumps(sender.envelope(), indent=4).encode() + b"\n\n"

    assert sender.post(body).outcome == ACCEPTED


def test_a_refused_id_is_free_again(sender: Sender) -> None:
    external_id = "first wrong"

    assert sender.post(sender.body({"capacity": "many"}, id=external_id)).outcome == BAD_SCHEMA
    assert sender.post(sender.body({"note": "a\x00"}, id=external_id)).outcome == BAD_SCHEMA
    assert sender.post(sender.body(id=external_id)).outcome == ACCEPTED
