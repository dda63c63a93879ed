"""By what id the other side knows what we made: a text, or the digits of a number; without one, staff see that."""

import json
from typing import Any

import pytest

from integrations.models import Attempt, ExternalReference
from integrations.outbound import Response
from integrations.states import Outcome, State
from integrations.system_channel.sender import NO_USABLE_ID, SystemSender
from tests.factories import AttemptFactory, DeliveryFactory, EventFactory, SystemFactory, WeddingFactory

VENDORS = ["studio_cloud", "shootq", "iris_works", "venue_master", "party_rental"]
BOM = b"\xef\xbb\xbf"


def answer(named: Any) -> bytes:
    return json.dumps({"id": named}).encode()


@pytest.mark.parametrize(
    ("body", "known_as"),
    [
        (answer("BK-78"), "BK-78"),
        (answer(78), "78"),
        (answer(10**18), str(10**18)),
        (BOM + answer(78), "78"),
        (answer(0), "0"),
        (answer(True), ""),
        (answer(7.5), ""),
        (answer(None), ""),
        (answer(""), ""),
        (answer(["BK-78"]), ""),
        (answer("x" * 201), ""),
        (answer("BK\u0000"), ""),
        (b"[78]", ""),
        (b"made", ""),
        (b"", ""),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_an_id_is_a_text_or_the_digits_of_a_number(body: bytes, known_as: str) -> None:
    assert SystemSender().judge(Response(201, {}, body)) == known_as


def made(slug: str, path: str = "/bookings", event_type: str = "booking.created") -> Any:
    """A delivery that made a booking or a client, and was taken."""
    wedding = WeddingFactory()
    system = SystemFactory(organization=wedding.organization, kind=slug)
    payload = {"booking_id": "X-1", "status": "open"} if path == "/bookings" else {"client_id": "X-2", "name": "Anna"}
    event = EventFactory(organization=wedding.organization, wedding=wedding, type=event_type, payload=payload)
    request = {"method": "POST", "path": path, "headers": {}, "body": "{}"}
    delivery = DeliveryFactory(
        organization=wedding.organization, event=event, system=system, state=State.SUCCEEDED, attempt_count=2,
        request=request,
    )  # fmt: skip
    AttemptFactory(delivery=delivery, number=1, outcome=Outcome.FAILED, error="away")
    AttemptFactory(delivery=delivery, number=2)
    return delivery


@pytest.mark.django_db
@pytest.mark.parametrize("slug", VENDORS)
def test_a_number_names_the_booking_from_then_on(slug: str) -> None:
    delivery = made(slug)

    SystemSender().accepted(delivery, "78")

    reference = ExternalReference.objects.get(system=delivery.system)
    assert (reference.external_id, reference.wedding_id) == ("78", delivery.event.wedding_id)
    assert not Attempt.objects.filter(delivery=delivery, error=NO_USABLE_ID).exists()


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/bookings", "/clients"])
def test_an_answer_without_a_usable_id_is_noted_at_the_delivery(path: str) -> None:
    delivery = made("studio_cloud", path, "booking.created" if path == "/bookings" else "client.updated")

    SystemSender().accepted(delivery, "")

    errors = list(delivery.attempts.order_by("number").values_list("error", flat=True))
    assert errors == ["away", NO_USABLE_ID]
    assert "external reference" in NO_USABLE_ID
    assert not ExternalReference.objects.filter(system=delivery.system).exists()
