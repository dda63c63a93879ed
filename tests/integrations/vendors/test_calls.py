"""The calls that each vendor takes are those of its page: for each event type one or none, byte for byte."""

import json
import re
from pathlib import Path

import pytest

from integrations.outbound import Request
from integrations.vendors import CALLED, VENDORS
from integrations.vendors.base import Client, Vendor
from tests.integrations.vendors import samples
from tests.integrations.vendors.samples import BOOKINGS, KNOWN, NEW, outgoing
from wedsync.live.event_types.catalogue import CATALOGUE

FOLDER = Path(__file__).parents[3] / "docs" / "vendors"
ROW = re.compile(r"^\| `([\w.]+)` \| [^|]+ \| (.+) \|$", re.MULTILINE)
EXAMPLE = re.compile(r"^```http\n(\w+) (\S+)\n```\n```json\n(.*?)^```$", re.MULTILINE | re.DOTALL)

every_vendor = pytest.mark.parametrize("vendor", VENDORS.values(), ids=VENDORS)


def chapter(vendor: Vendor) -> str:
    text = (FOLDER / f"{vendor.slug}.md").read_text(encoding="utf-8")
    return text.partition("## Calls that you receive")[2]


def documented(vendor: Vendor) -> dict[str, set[str]]:
    """Each event type's calls, as the page's table has them."""
    return {name: set(re.findall(r"`(\w+ /\S+)`", cell)) for name, cell in ROW.findall(chapter(vendor))}


def calls(vendor: Vendor, event_type: str) -> list[Request]:
    """What the vendor gets, whether it knows the wedding and the client or not."""
    known, booking = [BOOKINGS[vendor.slug], None], event_type in vendor.needs_no_booking
    tried = [outgoing(event_type, each, client=client) for each in known[: 1 + booking] for client in (KNOWN, NEW)]
    found = [vendor.outbound(each) for each in tried]
    return [request for request in found if request is not None]


def shape(vendor: Vendor, request: Request) -> str:
    path = request.path.replace(BOOKINGS[vendor.slug], "{id}").replace(str(KNOWN.external_id), "{id}")
    return f"{request.method} {path}"


@pytest.mark.parametrize("event_type", CATALOGUE)
@every_vendor
def test_each_event_makes_the_call_of_the_vendors_page_or_none(vendor: Vendor, event_type: str) -> None:
    made = {shape(vendor, request) for request in calls(vendor, event_type)}

    assert made == documented(vendor).get(event_type, set())


def test_there_is_a_sample_of_each_event_type_that_fits_its_schema() -> None:
    assert set(samples.PAYLOADS) == set(CATALOGUE)
    for name, payload in samples.PAYLOADS.items():
        CATALOGUE[name].payload.model_validate(payload)


@every_vendor
def test_each_example_of_a_page_is_what_the_vendor_gets(vendor: Vendor) -> None:
    examples = {(method, path): json.loads(body) for method, path, body in EXAMPLE.findall(chapter(vendor))}
    requests = [request for event_type in CATALOGUE for request in calls(vendor, event_type)]

    assert {shape(vendor, Request(method, path, "")) for method, path in examples} == {
        shape(vendor, request) for request in requests
    }
    for (method, path), body in examples.items():
        same = [json.loads(each.body) for each in requests if (each.method, each.path) == (method, path)]
        assert body in same


@every_vendor
def test_what_a_vendor_is_told_is_in_words_that_it_may_say_itself(vendor: Vendor) -> None:
    for ours, theirs in vendor.words.items():
        types = [name for name, entry in CATALOGUE.items() if ours in entry.payload.model_fields]
        assert types
        for name in types:
            sent = {theirs: "2027-06-20", "nothing": 1}
            known = vendor._in_our_names(name, sent)
            assert ours in known


@every_vendor
def test_a_wedding_that_the_vendor_does_not_know_makes_no_call_but_for_a_new_booking(vendor: Vendor) -> None:
    for event_type in set(CATALOGUE) - {"booking.created"}:
        assert vendor.outbound(outgoing(event_type, None)) is None
    created = vendor.outbound(outgoing("booking.created", None))
    assert created is not None
    assert (created.method, created.path) == ("POST", "/bookings")
    assert json.loads(created.body)["wedding_id"] == str(samples.WEDDING)


@every_vendor
def test_every_call_says_what_happened_when_and_in_which_order(vendor: Vendor) -> None:
    for event_type in CATALOGUE:
        for request in calls(vendor, event_type):
            body = json.loads(request.body)
            assert (body["type"], body["sequence"]) == (event_type, 2)
            assert body["occurred_at"] == "2026-06-19T08:00:00+00:00"
            assert "X-1" not in request.body  # another system's id of the booking
            assert "X-2" not in request.body


@pytest.mark.parametrize("slug", [slug for slug, vendor in VENDORS.items() if vendor.lists_clients])
def test_a_client_that_holds_everything_already_gets_no_call(slug: str) -> None:
    payload = samples.PAYLOADS["client.updated"]
    whole = Client("C-15", known={name: payload[name] for name in ("name", "email")})

    assert VENDORS[slug].outbound(outgoing("client.updated", BOOKINGS[slug], client=whole)) is None


def test_ids_of_others_stay_in_their_segment_of_the_path() -> None:
    for vendor in VENDORS.values():
        request = vendor.outbound(outgoing("booking.updated", "a/../b?c"))
        assert request is not None
        assert request.path == "/bookings/a%2F..%2Fb%3Fc"


@pytest.mark.parametrize("event_type", CATALOGUE)
def test_a_signed_webhook_gets_every_event_whole_also_without_a_wedding(event_type: str) -> None:
    sent = outgoing(event_type, None)
    sent.event.wedding_id = None

    request = CALLED["webhook"].outbound(sent)

    assert request is not None
    assert (request.method, request.path) == ("POST", "")
    body = json.loads(request.body)
    assert body["payload"] == sent.event.payload
    assert (body["type"], body["wedding_id"], body["sequence"]) == (event_type, None, 2)


def test_the_example_of_the_signed_webhooks_page_is_what_it_gets() -> None:
    (shown,) = re.findall(r"^```json\n(.*?)^```$", (FOLDER / "webhook.md").read_text(), re.MULTILINE | re.DOTALL)
    request = CALLED["webhook"].outbound(outgoing("guest_count.changed", None))

    assert request is not None
    assert json.loads(shown) == json.loads(request.body)
