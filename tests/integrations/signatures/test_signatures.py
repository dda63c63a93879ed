"""Every attack over every scheme: nothing forged passes, and the answer says no more than its slug."""

import json
import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.signatures.base import MOST_SIGNATURES, SignatureError, SignatureScheme
from integrations.signatures.standard_webhooks import MOST_LISTED
from integrations.vendors import VENDORS
from tests.integrations.signatures.attacks import MALFORMED, MISMATCH, MISSING, Headers, Sender, every_scheme
from tests.integrations.signatures.schemes import BODY, NOW, SCHEMES, received, signature_header


@every_scheme
def test_a_signature_passes_and_says_which_of_the_live_secrets_made_it(sender: Sender) -> None:
    scheme = sender.scheme
    live = [scheme.new_secret(), sender.secret, scheme.new_secret()]

    assert scheme.verify(sender.headers(), BODY, live, NOW) == 1
    assert scheme.verify(sender.headers(), BODY, [sender.secret, sender.secret], NOW) == 0


@every_scheme
def test_another_key_or_none_does_not_fit(sender: Sender) -> None:
    sender.is_refused(MISMATCH, Sender(sender.scheme).headers())
    with pytest.raises(SignatureError, match=MISMATCH):
        sender.scheme.verify(sender.headers(), BODY, [], NOW)


@every_scheme
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        "Zoë · 🔦 · \u202e".encode(),
        BODY.decode().encode("utf-16"),
        b"\xff\xfe\x00\x80 is no UTF-8",
        b'{"a":"\x00"}',
        bytes(range(256)) * 1024,
    ],
    ids=["empty", "a space", "unicode", "UTF-16", "not UTF-8", "NUL", "256 KiB"],
)
def test_a_signature_is_one_of_raw_bytes_whatever_they_are(sender: Sender, body: bytes) -> None:
    headers = sender.headers(body)

    assert sender.passes(headers, body)
    sender.is_refused(MISMATCH, headers, body + b"\n")


@every_scheme
def test_every_single_changed_byte_is_noticed(sender: Sender) -> None:
    headers = sender.headers()

    for place in range(len(BODY)):
        changed = bytearray(BODY)
        changed[place] ^= 1
        sender.is_refused(MISMATCH, headers, bytes(changed))


@every_scheme
@pytest.mark.parametrize(
    "body",
    [
        json.dumps(json.loads(BODY)).encode(),
        json.dumps(json.loads(BODY), ensure_ascii=False, separators=(",", ":")).encode(),
        BODY[:-1],
        BODY + b" ",
        b"\xef\xbb\xbf" + BODY,
        b"",
    ],
    ids=["serialised again", "without spaces", "cut", "longer", "with a byte order mark", "empty"],
)
def test_what_was_signed_as_json_does_not_count_for_other_bytes(sender: Sender, body: bytes) -> None:
    sender.is_refused(MISMATCH, sender.headers(), body)


@every_scheme
@pytest.mark.parametrize(
    ("change", "slug"),
    [
        (lambda values: None, MISSING),
        (lambda values: [], MISSING),
        (lambda values: [""], MISSING),
        (lambda values: [" \t "], MISSING),
        (lambda values: values * 2, MALFORMED),
        (lambda values: [*values, ""], MALFORMED),
        (lambda values: ["", *values], MALFORMED),
        (lambda values: [f"{values[0]}, {values[0]}"], MALFORMED),
        (lambda values: [values[0] * 9], MALFORMED),
        (lambda values: [values[0] + "\u00e9"], MALFORMED),
        (lambda values: ["\u0661" * 10], MALFORMED),
        (lambda values: ["\U0001f526" * 64], MALFORMED),
        (lambda values: ["\ud800"], MALFORMED),
        (lambda values: [values[0] + "\n"], MALFORMED),
        (lambda values: [values[0] + "\x00"], MALFORMED),
        (lambda values: ["0" * 1_000_000], MALFORMED),
        (lambda values: [" ," * 500_000 + values[0]], MALFORMED),
    ],
    ids=[
        "left out", "no value", "empty", "spaces only", "twice", "twice, empty", "twice, empty first", "joined",
        "nine times in one", "an accent", "digits of another script", "emoji", "a lone surrogate", "a line end",
        "a NUL", "a million digits", "half a million commas",
    ],
)  # fmt: skip
def test_a_header_that_is_not_there_once_and_well_formed_is_refused(
    sender: Sender, change: Callable[[list[str]], list[str] | None], slug: str
) -> None:
    whole = sender.headers()

    for name, values in whole.items():
        changed = change(values)
        headers = {other: kept for other, kept in whole.items() if other != name}
        sender.is_refused(slug, headers if changed is None else {**headers, name: changed})


@every_scheme
def test_missing_goes_before_malformed(sender: Sender) -> None:
    whole = sender.headers()

    for name in whole:
        headers = {other: ["?"] for other in whole if other != name}
        sender.is_refused(MISSING, headers)


@every_scheme
def test_a_cut_signature_is_malformed_and_a_wrong_one_does_not_fit(sender: Sender) -> None:
    name = signature_header(sender.scheme)
    whole = sender.headers()
    (value,) = whole[name]

    for length in range(1, len(value)):
        sender.is_refused(MALFORMED, {**whole, name: [value[:-length]]})
    wrong = "1" if value[-10] == "0" else "0"
    sender.is_refused(MISMATCH, {**whole, name: [value[:-10] + wrong + value[-9:]]})


@every_scheme
def test_spaces_around_a_value_do_not_belong_to_it(sender: Sender) -> None:
    assert sender.passes({name: [f" \t{value} "] for name, (value,) in sender.headers().items()})


@every_scheme
def test_hex_counts_in_either_case(sender: Sender) -> None:
    def mixed(value: str) -> str:
        return re.sub(r"[0-9a-f]{64}", lambda found: found[0][:32].upper() + found[0][32:], value)

    assert sender.passes({name: [mixed(value)] for name, (value,) in sender.headers().items()})


@every_scheme
def test_the_headers_of_all_other_schemes_together_are_no_signature(sender: Sender) -> None:
    own = sender.headers()
    others: Headers = {}
    for scheme in SCHEMES.values():
        others |= received(scheme.sign(BODY, scheme.new_secret(), NOW))

    sender.is_refused(MISSING, {name: values for name, values in others.items() if name not in own})


@every_scheme
@given(texts=st.lists(st.lists(st.text(max_size=80), max_size=2), min_size=3, max_size=3))
def test_whatever_stands_in_the_headers_there_is_no_other_error(
    scheme: SignatureScheme, texts: list[list[str]]
) -> None:
    secret = scheme.new_secret()
    names = received(scheme.sign(BODY, secret, NOW))

    with pytest.raises(SignatureError):
        scheme.verify(dict(zip(names, texts, strict=False)), BODY, [secret], NOW)


def test_base64_has_one_spelling_only() -> None:
    sender = Sender(VENDORS["party_rental"].signature)
    ((name, (value,)),) = sender.headers().items()
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    same_bytes = value[:42] + letters[letters.index(value[42]) + 1] + "="

    for text in (same_bytes, value.rstrip("="), value + "=", value[:20] + " " + value[20:], "-" + value[1:]):
        sender.is_refused(MALFORMED, {name: [text]})


def test_one_fitting_signature_of_a_list_is_enough() -> None:
    venue, iris = Sender(VENDORS["venue_master"].signature), Sender(VENDORS["iris_works"].signature)
    ((name, (value,)),) = venue.headers().items()
    wrong = ",v1=" + "0" * 64
    three = iris.headers()
    (signature,) = three["webhook-signature"]
    another = Sender(iris.scheme).headers()["webhook-signature"][0]

    assert venue.passes({name: [value.replace(",v1", wrong + ", v1")]})
    assert venue.passes({name: [value + wrong * (MOST_SIGNATURES - 1)]})
    venue.is_refused(MALFORMED, {name: [value + wrong * MOST_SIGNATURES]})
    assert iris.passes({**three, "webhook-signature": [f"{another} v1a,dGVzdA== {signature}"]})
    assert iris.passes({**three, "webhook-signature": [" ".join([another] * (MOST_LISTED - 1) + [signature])]})
    iris.is_refused(MALFORMED, {**three, "webhook-signature": [" ".join([another] * MOST_LISTED + [signature])]})


@pytest.mark.parametrize(
    "text",
    ["t=1780000000", "v1=" + "0" * 64, "t=1,t=2,v1=" + "0" * 64, "t=1,v0=" + "0" * 64, "t=1,,v1=" + "0" * 64, ","],
)
def test_venuemasters_list_has_one_time_and_known_parts_only(text: str) -> None:
    sender = Sender(VENDORS["venue_master"].signature)

    sender.is_refused(MALFORMED, {"x-venue-signature": [text]})


@pytest.mark.parametrize("text", ["v1", "v1,", "v1,???", "v1a,dGVzdA==", "v1,dGVzdA==", "v1:dGVzdA=="])
def test_a_list_of_standard_webhooks_needs_one_signature_that_can_be_read(text: str) -> None:
    sender = Sender(VENDORS["iris_works"].signature)

    sender.is_refused(MALFORMED, {**sender.headers(), "webhook-signature": [text]})


@every_scheme
def test_a_new_secret_is_random_long_and_fits_its_scheme(scheme: SignatureScheme) -> None:
    secrets = {scheme.new_secret() for _ in range(20)}

    assert len(secrets) == 20
    for secret in secrets:
        scheme.check_secret(secret)
        assert len(scheme.key(secret)) >= 32


@every_scheme
def test_an_empty_secret_is_refused_in_words(scheme: SignatureScheme) -> None:
    for text in ("", "  "):
        with pytest.raises(ValueError, match="secret"):
            scheme.check_secret(text)


@pytest.mark.parametrize("text", ["whsec_", "whsec_?", "whsec_dGVzd", "whsec_dGVzdA==é", "dGVzdA==", "secret"])
def test_a_standard_webhooks_secret_is_whsec_and_base64(text: str) -> None:
    with pytest.raises(ValueError, match="whsec_ followed by base64") as refused:
        VENDORS["iris_works"].signature.check_secret(text)

    assert "dGVzd" not in str(refused.value)
