"""Emergencies that a paused connection holds, with real processes: staff hear at once, the people when it goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from uuid import uuid4

import pytest

from integrations.models import Connection
from integrations.systems import lifecycle
from notifications.incidents import acknowledging
from notifications.models import Incident
from tests.factories import AddressFactory, ContactFactory, ExternalReferenceFactory, WeddingFactory
from tests.live.broken_ways import Sent, make_sent
from tests.live.product import Product
from tests.polling import until
from wedsync.live.fan_out import hints
from wedsync.weddings.models import Wedding
from wedsync.wire.strict_json import LARGEST

SOON = 10.0


@pytest.fixture
def sent(product: Product) -> Iterator[Sent]:
    product.heal()
    made = make_sent(product, "venue_master")
    yield made
    product.heal()
    for incident in Incident.objects.filter(state=Incident.State.OPEN):
        acknowledging.acknowledge_incident(incident, by="the test", via="the test")


def another_wedding(sent: Sent) -> tuple[Wedding, str]:
    """A further wedding of today with a coordinator on WhatsApp, and its booking."""
    first = sent.world.wedding
    mine = {"organization": first.organization}
    wedding = WeddingFactory(**mine, date=first.date, timezone=first.timezone)
    phone = sent.world.people["coordinator"].phone[:-2] + "77"
    AddressFactory(**mine, value=phone)
    ContactFactory(**mine, wedding=wedding, role="coordinator", phone=phone, email=f"other-{sent.marker}@p.example")
    booking = f"BK-{uuid4().hex[:8]}"
    ExternalReferenceFactory(**mine, system=sent.system, wedding=wedding, external_id=booking)
    return wedding, booking


def connection(sent: Sent) -> Connection:
    return Connection.objects.get(id=sent.sender.connection.id)


def hear(sent: Sent, text: str) -> bool:
    """Whether staff's Slack and every mailbox of theirs have got a question with this text in it."""
    product = sent.world.product
    places = [product.messages("slack", sent.world.slack_channel)]
    places += [product.messages("resend", address) for address in sent.staff]
    return all(any(text in each and "wedding unknown" in each for each in map(json.dumps, got)) for got in places)


def is_alarmed(sent: Sent, phone: str) -> bool:
    """Whether a phone has got a message from us."""
    return bool(sent.world.product.messages("whatsapp", phone))


def question(sent: Sent) -> Incident:
    return Incident.objects.get(organization=sent.world.organization, wedding=None)


def test_what_was_held_for_two_weddings_reaches_their_people_soon_after_the_resume(sent: Sent) -> None:
    other, booking = another_wedding(sent)
    phones = [sent.world.people["coordinator"].phone, other.contacts.get().phone]
    lifecycle.pause_connection(connection(sent))
    for envelope in (sent.emergency(), sent.emergency(booking_id=booking, description=f"Water {sent.marker}")):
        assert sent.post(envelope).outcome == (202, "accepted")
    until(lambda: hear(sent, "Smoke in the cellar"), SOON, what="staff hearing of the first")
    until(lambda: question(sent).reports.count() == 2, SOON, what="the second one joining it")
    assert not any(is_alarmed(sent, phone) for phone in phones)

    lifecycle.resume_connection(connection(sent))

    for phone in phones:
        until(lambda phone=phone: is_alarmed(sent, phone), SOON, what=f"an alarm for {phone}")
    until(lambda: question(sent).state == "resolved", SOON, what="the end of the call")
    assert question(sent).staff_due_at is None


def test_a_pause_in_between_holds_what_comes_then_and_nothing_that_was_let_go(sent: Sent) -> None:
    other, booking = another_wedding(sent)
    phone, later = sent.world.people["coordinator"].phone, other.contacts.get().phone
    lifecycle.pause_connection(connection(sent))
    sent.send()
    until(lambda: hear(sent, "Smoke in the cellar"), SOON, what="staff hearing of the first")

    lifecycle.resume_connection(connection(sent))
    lifecycle.pause_connection(connection(sent))

    until(lambda: is_alarmed(sent, phone), SOON, what="an alarm of what was let go")
    until(lambda: question(sent).state == "resolved", SOON, what="the end of the call")
    sent.send(booking_id=booking, description=f"Water {sent.marker}")
    until(lambda: hear(sent, "Water"), SOON, what="staff hearing of what is held")
    assert not is_alarmed(sent, later)
    lifecycle.resume_connection(connection(sent))
    until(lambda: is_alarmed(sent, later), SOON, what="an alarm of the second")


def test_to_resume_needs_no_sweep_for_an_emergency(sent: Sent) -> None:
    product, phone = sent.world.product, sent.world.people["coordinator"].phone
    lifecycle.pause_connection(connection(sent))
    product.kill("sweep")
    try:
        sent.send()
        until(lambda: hear(sent, "Smoke in the cellar"), SOON, what="staff hearing of it")

        lifecycle.resume_connection(connection(sent))

        hints.flush()
        until(lambda: is_alarmed(sent, phone), SOON, what="an alarm")
    finally:
        product.start("sweep")


def test_a_paused_system_holds_no_emergency_that_it_sends(sent: Sent) -> None:
    lifecycle.pause_system(sent.system)

    sent.send()

    phone = sent.world.people["coordinator"].phone
    until(lambda: is_alarmed(sent, phone), SOON, what="an alarm")


def test_nul_in_an_emergency_over_the_limit_of_its_connection_is_told_to_staff(sent: Sent) -> None:
    Connection.objects.filter(id=sent.sender.connection.id).update(limit_per_hour=1)
    until(lambda: sent.sender.post(sent.sender.body()).status == 429, SOON, what="the limit")

    assert sent.post(sent.emergency(description=f"Gas\x00 {sent.marker}")).status == 422

    until(lambda: hear(sent, "Gas"), SOON, what="staff hearing of it")


def test_an_emergency_that_is_too_large_is_told_to_staff(sent: Sent) -> None:
    assert sent.post(sent.emergency(log="x" * LARGEST)).outcome == (413, "body-too-large")

    until(lambda: hear(sent, "Smoke in the cellar"), SOON, what="staff hearing of it")
