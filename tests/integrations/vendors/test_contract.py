"""Every registered vendor: its fixtures become its declared events, and no forged request passes its signature."""

import json
import time
from pathlib import Path

import pytest

from integrations.signatures import SignatureError
from integrations.vendors import VENDORS
from integrations.vendors.base import SchemaError, Vendor
from wedsync.live.catalogue import CATALOGUE

FOLDER = Path(__file__).parent
FIXTURES = sorted(FOLDER.glob("*/*.json"))
SECRET = "s3cret of the vendor"
BODY = json.dumps({"id": "1", "eventType": "x", "payload": {"name": "Zoë"}}, ensure_ascii=False).encode()
NOW = 1_780_000_000.0

every_vendor = pytest.mark.parametrize("vendor", VENDORS.values(), ids=VENDORS)


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_fixture_becomes_the_event_that_its_name_says(path: Path) -> None:
    vendor = VENDORS[path.parent.name]
    envelope = json.loads(path.read_text(encoding="utf-8"))

    event_type = vendor.event_type(envelope["eventType"])

    assert event_type == path.stem.split("__")[0]
    payload = vendor.canonical(event_type, envelope["payload"])
    assert set(payload) <= set(CATALOGUE[event_type].payload.model_fields)
    assert payload.get("booking_id")


@every_vendor
def test_each_word_of_a_vendor_means_a_known_type_and_has_a_fixture(vendor: Vendor) -> None:
    assert set(vendor.event_types.values()) <= set(CATALOGUE)
    shown = {path.stem.split("__")[0] for path in FIXTURES if path.parent.name == vendor.slug}
    assert set(vendor.event_types.values()) <= shown


@every_vendor
def test_canonical_names_are_always_understood(vendor: Vendor) -> None:
    assert all(vendor.event_type(name) == name for name in CATALOGUE)
    assert vendor.event_type("something.else") is None


@every_vendor
def test_its_own_signature_passes_with_either_live_secret(vendor: Vendor) -> None:
    headers = _headers(vendor.signature.sign(BODY, SECRET, NOW))

    vendor.signature.verify(headers, BODY, [SECRET], NOW)
    vendor.signature.verify(headers, BODY, ["an older one", SECRET], NOW)
    vendor.signature.verify(_headers(vendor.signature.sign(BODY, SECRET, NOW), upper=True), BODY, [SECRET], NOW)


@every_vendor
@pytest.mark.parametrize(
    "body",
    [BODY[:-1], BODY + b" ", BODY.replace(b"1", b"2", 1), json.dumps(json.loads(BODY)).encode(), b""],
    ids=["cut", "longer", "changed", "serialised again", "empty"],
)
def test_a_signature_counts_for_its_bytes_only(vendor: Vendor, body: bytes) -> None:
    headers = _headers(vendor.signature.sign(BODY, SECRET, NOW))

    with pytest.raises(SignatureError, match="signature-mismatch"):
        vendor.signature.verify(headers, body, [SECRET], NOW)


@every_vendor
def test_every_forged_header_is_refused_with_a_slug(vendor: Vendor) -> None:
    (name, value) = next(iter(vendor.signature.sign(BODY, SECRET, NOW).items()))
    lower = name.lower()
    attacks = {
        "signature-missing": [{}, {lower: []}, {lower: [""]}],
        "signature-malformed": [
            {lower: [value, value]},
            {lower: [value[:-1]]},
            {lower: ["é" * 64]},
            {lower: [value * 9]},
        ],
        "signature-mismatch": [_headers(vendor.signature.sign(BODY, "another key", NOW))],
    }
    for slug, forged in attacks.items():
        for headers in forged:
            with pytest.raises(SignatureError, match=slug):
                vendor.signature.verify(headers, BODY, [SECRET], NOW)
    with pytest.raises(SignatureError, match="signature-mismatch"):
        vendor.signature.verify({lower: [value]}, BODY, [], NOW)


@every_vendor
def test_a_payload_that_breaks_its_schema_names_the_field(vendor: Vendor) -> None:
    with pytest.raises(SchemaError) as raised:
        vendor.canonical("venue.capacity_updated", {"capacity": "many"})

    assert raised.value.problems[0].field == "capacity"


def test_a_timestamp_counts_for_five_minutes_either_way() -> None:
    scheme = VENDORS["venue_master"].signature
    headers = _headers(scheme.sign(BODY, SECRET, NOW))

    for offset in (-300, 300):
        scheme.verify(headers, BODY, [SECRET], NOW + offset)
    for offset in (-301, 301):
        with pytest.raises(SignatureError, match="timestamp-outside-window"):
            scheme.verify(headers, BODY, [SECRET], NOW + offset)


def test_the_slug_gives_nothing_away_before_the_signature_fits() -> None:
    scheme = VENDORS["venue_master"].signature
    headers = _headers(scheme.sign(BODY, "another key", time.time() - 10_000))

    with pytest.raises(SignatureError, match="signature-mismatch"):
        scheme.verify(headers, BODY, [SECRET], NOW)


def _headers(signed: dict[str, str], *, upper: bool = False) -> dict[str, list[str]]:
    return {name.lower(): [_upper_hex(value) if upper else value] for name, value in signed.items()}


def _upper_hex(value: str) -> str:
    head, _, digest = value.rpartition("=")
    return f"{head}={digest.upper()}"
