"""Texts that are made to be costly, signed by one vendor: nobody else waits, and every word arrives."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from integrations.vendors import VENDORS
from tests.live.product import Product
from tests.senders import Sender, make_sender
from webhooks.models import Receipt
from wedsync.live.models import ChannelEvent

LARGEST = 240_000
COSTLY = {
    "entities around layers": "&" * LARGEST + "<<<<b>b>b>a>",
    "layers": "<" * (LARGEST // 3) + "b>" * (LARGEST // 3),
    "layers beside each other": "<<b>b>" * (LARGEST // 6),
    "deep elements": "<div>" * (LARGEST // 5),
    "no end of a tag": "<a " * (LARGEST // 3),
    "no end of a quote": "<a ='" * (LARGEST // 5),
    "quotes that end in the next tag": "<a '='" * (LARGEST // 6),
    "no end of a comment": "<!--" * (LARGEST // 4),
    "no end of a script": "<script>" * (LARGEST // 8),
    "line ends": "\u0085" * (LARGEST // 6),
}
PATIENCE = 5
"""Seconds, on a machine that runs other tests as well; before, one of these took ten by itself."""


@pytest.mark.parametrize("kind", COSTLY)
def test_a_costly_text_of_one_sender_delays_no_other(product: Product, kind: str) -> None:
    costly, other = (make_sender(product.port, slug) for slug in ("venue_master", "studio_cloud"))
    costly.post(costly.body())
    other.post(other.body())  # both doors are known
    bodies = [costly.body({"note": COSTLY[kind]}) for _ in range(4)]
    with ThreadPoolExecutor(len(bodies)) as pool:
        slow = [pool.submit(costly.within(30).post, body) for body in bodies]
        quick = [other.within(PATIENCE).post(other.body()).outcome for _ in range(10)]
        outcomes = {each.result().outcome for each in slow}

    assert set(quick) == {(202, "accepted")}
    assert outcomes <= {(202, "accepted"), (503, "storage-away")}  # one at a time; the last may be told to come again
    assert (202, "accepted") in outcomes


@pytest.fixture(params=VENDORS)
def sender(product: Product, request: pytest.FixtureRequest) -> Sender:
    return make_sender(product.port, request.param)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("Pressure<limit in the cellar, leave the building at once",) * 2,
        ("Call the front desk <desk@venue.example>",) * 2,
        ("No light in <Hall 2>",) * 2,
        ("Heat <b",) * 2,
        ("Tables 5 <-> 12",) * 2,
        ("Table 5\u000b12 guests", "Table 5\n12 guests"),
        ("Table 5\r\n12 guests\rno\u0085light\u2028now", "Table 5\n12 guests\nno\nlight\nnow"),
        ("<td>Table 5</td><td>12 guests</td>", "Table 5\n12 guests"),
        ("<b>No light</b> in the hall", "No light in the hall"),
        ("<script>alert(1)</script>No light", "No light"),
    ],
)
def test_what_a_vendor_says_in_an_emergency_arrives_as_it_was_said(sender: Sender, said: str, told: str) -> None:
    payload = {"kind": "power_outage", "description": said, "reported_by": "Tom <tom@venue.example>"}
    body = json.dumps(sender.envelope() | {"eventType": "venue.emergency_reported", "payload": payload}).encode()

    answer = sender.post(body)

    assert answer.status == 202, answer.body
    event = ChannelEvent.objects.get(id=answer.json["id"])
    assert event.payload["description"] == told
    assert event.payload["reported_by"] == "Tom <tom@venue.example>"
    assert bytes(Receipt.objects.get(id=answer.json["id"]).body) == body
