"""Every attack over every vendor, over HTTP: nothing that was not signed, or not said well, becomes an event."""

import json
import math
import re
import time
from collections.abc import Callable, Iterator

import pytest

from integrations.vendors import VENDORS
from tests.live.product import Product
from tests.senders import JSON, Pairs, Sender, make_sender, moved

TIMED = [slug for slug, vendor in VENDORS.items() if vendor.signature.oldest_body == math.inf]
UNTIMED = [slug for slug in VENDORS if slug not in TIMED]
every_vendor = pytest.mark.parametrize("sender", VENDORS, indirect=True)
with_a_time_in_its_headers = pytest.mark.parametrize("sender", TIMED, indirect=True)
with_a_signed_body_only = pytest.mark.parametrize("sender", UNTIMED, indirect=True)

MISSING = (401, "signature-missing")
MALFORMED = (401, "signature-malformed")
MISMATCH = (401, "signature-mismatch")
OUTSIDE = (401, "timestamp-outside-window")
BAD_ENVELOPE = (400, "bad-envelope")
NOT_JSON = (400, "not-json")
BAD_SCHEMA = (422, "schema-violation")
ACCEPTED = (202, "accepted")


@pytest.fixture
def sender(product: Product, request: pytest.FixtureRequest) -> Sender:
    return make_sender(product.port, request.param)


@pytest.fixture
def refused(sender: Sender) -> Iterator[Callable[..., tuple[int, str]]]:
    """Asks, and proves at the end that nothing was stored."""

    def ask(body: bytes, headers: Pairs | None = None) -> tuple[int, str]:
        return sender.ask(body, [JSON, *(sender.sign(body).items() if headers is None else headers)]).outcome

    yield ask
    assert sender.stored() == (0, 0, 0)


Refused = Callable[..., tuple[int, str]]


@every_vendor
def test_what_the_vendor_signed_is_accepted(sender: Sender) -> None:
    answer = sender.post(sender.body())

    assert answer.outcome == ACCEPTED
    assert sender.stored() == (1, 1, 1)


@every_vendor
def test_each_header_of_the_signature_must_be_there_and_say_something(sender: Sender, refused: Refused) -> None:
    body = sender.body()
    right = sender.sign(body)

    assert refused(body, []) == MISSING
    for name in right:
        assert refused(body, [pair for pair in right.items() if pair[0] != name]) == MISSING
        assert refused(body, (right | {name: ""}).items()) == MISSING
        assert refused(body, (right | {name: "  "}).items()) == MISSING


@every_vendor
def test_a_header_given_twice_is_refused_though_each_is_right(sender: Sender, refused: Refused) -> None:
    body = sender.body()
    right = sender.sign(body)
    wrong = sender.sign(body, secret=sender.scheme.new_secret())

    for name in right:
        assert refused(body, [*right.items(), (name, right[name])]) == MALFORMED
        assert refused(body, [*right.items(), (name.upper(), wrong[name])]) == MALFORMED
        assert refused(body, [(name.lower(), wrong[name]), *right.items()]) == MALFORMED


@every_vendor
def test_a_signature_that_is_cut_or_longer_is_refused(sender: Sender, refused: Refused) -> None:
    body = sender.body()
    right = sender.sign(body)
    name = sender.signature_header()

    for value in (right[name][:-1], right[name][:-20], right[name] + "0", right[name] + "=", right[name][1:], "0"):
        assert refused(body, (right | {name: value}).items()) == MALFORMED


@every_vendor
def test_another_secret_does_not_fit(sender: Sender, refused: Refused) -> None:
    body = sender.body()
    other = sender.secret[:-5] + ("AAAA=" if sender.secret[-5:] != "AAAA=" else "BBBA=")

    assert refused(body, sender.sign(body, secret=other).items()) == MISMATCH
    assert refused(body, sender.sign(body, secret=sender.scheme.new_secret()).items()) == MISMATCH


@every_vendor
def test_the_same_secret_in_another_vendors_scheme_counts_nothing(sender: Sender, refused: Refused) -> None:
    body = sender.body()
    mine = {name.lower() for name in sender.sign(body)}

    for vendor in VENDORS.values():
        theirs = Sender(sender.port, vendor, sender.connection, sender.secret).sign(body)
        if not mine & {name.lower() for name in theirs}:
            assert refused(body, theirs.items()) == MISSING


@every_vendor
def test_another_connections_signature_counts_nothing_here(sender: Sender, refused: Refused) -> None:
    other = make_sender(sender.port, sender.vendor.slug)
    body = sender.body()

    assert refused(body, other.sign(body).items()) == MISMATCH


@every_vendor
def test_the_signature_is_over_the_bytes_as_sent(sender: Sender, refused: Refused) -> None:
    body = sender.body({"reason": "Größe"})
    right = sender.sign(body).items()

    for written_again in (
        json.dumps(json.loads(body), separators=(",", ":")).encode(),
        json.dumps(json.loads(body), ensure_ascii=False).encode(),
        json.dumps(json.loads(body), indent=2).encode(),
        json.dumps(json.loads(body), sort_keys=True).encode(),
        body + b"\n",
        b" " + body,
        b"",
    ):
        assert written_again != body
        assert refused(written_again, right) == MISMATCH


@every_vendor
def test_one_changed_byte_anywhere_does_not_fit(sender: Sender, refused: Refused) -> None:
    body = sender.body()
    right = sender.sign(body).items()

    for place in (0, len(body) // 2, body.index(b"180"), len(body) - 1):
        changed = bytearray(body)
        changed[place] ^= 1
        assert refused(bytes(changed), right) == MISMATCH


@every_vendor
def test_hex_counts_in_either_case_and_base64_only_as_it_is(sender: Sender) -> None:
    body = sender.body()
    right = sender.sign(body)
    name = sender.signature_header()
    is_hex = re.search("[0-9a-f]{64}", right[name])
    written = [
        re.sub("[0-9a-f]{64}", lambda found: found[0].upper(), right[name]),
        re.sub("[0-9a-f]{64}", lambda found: found[0][:30].upper() + found[0][30:], right[name]),
    ]

    for value in written if is_hex else [right[name].swapcase()]:
        code, slug = sender.ask(body, [JSON, *(right | {name: value}).items()]).outcome
        assert (code in {200, 202}) if is_hex else (slug in {"signature-mismatch", "signature-malformed"})


@with_a_time_in_its_headers
def test_a_header_time_counts_for_300_seconds_either_way(sender: Sender) -> None:
    for ahead, outcome in ((-310, OUTSIDE), (310, OUTSIDE), (-290, ACCEPTED), (290, ACCEPTED)):
        body = sender.body()
        assert sender.ask(body, [JSON, *sender.sign(body, ahead=ahead).items()]).outcome == outcome

    assert sender.stored() == (2, 2, 2)


def time_in(headers: dict[str, str]) -> str:
    """The Unix seconds; an id made of a hash may hold as many digits, but not of today."""
    numbers = re.findall(r"\d{10}", " ".join(headers.values()))
    return next(number for number in numbers if abs(int(number) - time.time()) < 10_000)


@with_a_time_in_its_headers
def test_a_header_time_is_part_of_what_is_signed(sender: Sender, refused: Refused) -> None:
    body = sender.body()
    stale, fresh = sender.sign(body, ahead=-400), sender.sign(body)
    older, newer = time_in(stale), time_in(fresh)

    assert refused(body, {n: value.replace(older, newer) for n, value in stale.items()}.items()) == MISMATCH


@with_a_time_in_its_headers
def test_a_stranger_does_not_learn_whether_the_time_was_right(sender: Sender, refused: Refused) -> None:
    body = sender.body()

    assert refused(body, sender.sign(body, secret=sender.scheme.new_secret(), ahead=-400).items()) == MISMATCH


@with_a_time_in_its_headers
def test_where_the_headers_hold_the_time_an_envelope_may_be_old(sender: Sender) -> None:
    assert sender.post(sender.body(timestamp=moved(days=30))).outcome == ACCEPTED


@with_a_signed_body_only
def test_where_only_the_body_is_signed_its_time_counts_for_seven_days(sender: Sender) -> None:
    assert sender.post(sender.body(timestamp=moved(days=7, minutes=1))).outcome == BAD_ENVELOPE
    assert sender.post(sender.body(timestamp=moved(days=6))).outcome == ACCEPTED
    assert sender.stored() == (1, 1, 1)


@every_vendor
def test_an_envelopes_time_may_lie_300_seconds_ahead(sender: Sender) -> None:
    assert sender.post(sender.body(timestamp=moved(seconds=-310))).outcome == BAD_ENVELOPE
    assert sender.post(sender.body(timestamp=moved(seconds=-290))).outcome == ACCEPTED


@every_vendor
def test_a_replayed_request_gets_the_first_ones_id_and_does_nothing(sender: Sender) -> None:
    body = sender.body()

    first, again = sender.post(body), sender.post(body)

    assert (first.outcome, again.outcome) == (ACCEPTED, (200, "duplicate"))
    assert first.json["id"] == again.json["id"]
    assert sender.stored() == (1, 1, 1)


@every_vendor
def test_a_known_id_with_another_body_is_409_and_changes_nothing(sender: Sender) -> None:
    sender.post(sender.body({"capacity": 170}, id="one"))

    assert sender.post(sender.body({"capacity": 999}, id="one")).outcome == (409, "event-id-reused")
    assert sender.stored() == (1, 1, 1)


@every_vendor
def test_an_id_counts_for_its_connection_only(sender: Sender) -> None:
    other = make_sender(sender.port, sender.vendor.slug)

    assert sender.post(sender.body(id="one")).outcome == ACCEPTED
    assert other.post(other.body(id="one")).outcome == ACCEPTED
