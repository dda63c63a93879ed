"""Receipts processed again: nothing twice, nothing unsigned, and only what is missing."""

import json
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from integrations.models import Connection, Delivery
from integrations.routing import route_event
from integrations.vendors import VENDORS
from tests.at_once import at_once
from tests.factories import (
    ConnectionFactory,
    DeliveryFactory,
    EventFactory,
    ExternalReferenceFactory,
    ReceiptFactory,
    RouteFactory,
    SystemFactory,
    WeddingFactory,
)
from webhooks.models import DedupId, Receipt
from webhooks.tasks import reprocess as reprocess_task
from webhooks.vendor_events import reprocessing
from webhooks.vendor_events.reprocessing import ReprocessResult, preview, reprocess, reprocess_many
from wedsync.ids import new_id
from wedsync.live.log.writer import append
from wedsync.live.models import ChannelEntry, ChannelEvent

pytestmark = pytest.mark.django_db


def body(external_id: str = "vm_1", vendor_type: str = "capacity.updated", **payload: Any) -> bytes:
    said = {"event_id": "BK-1", "max_capacity": 180} | payload
    envelope = {"id": external_id, "eventType": vendor_type, "timestamp": "2026-01-05T10:00:00+01:00", "payload": said}
    return json.dumps(envelope).encode()


def receipt(door: Connection, content: bytes | None = None, **rest: Any) -> Receipt:
    """One that was signed and rejected, with a body that is good by now."""
    given = {"verdict": "rejected", "signed": True, "slug": "schema-violation", "reason": "the schema of then"}
    content = body() if content is None else content
    made: Receipt = ReceiptFactory(
        **{"organization": door.organization, "connection": door, "body": content, "external_id": "vm_1"} | given | rest
    )
    return made


def claim(door: Connection, receipt_id: UUID, external_id: str = "vm_1") -> None:
    DedupId.objects.create(connection=door, external_id=external_id, receipt_id=receipt_id, body_hash=b"0" * 32)


def put_on(event: ChannelEvent, name: str) -> None:
    append([], also=[(event, name)])


@pytest.fixture
def door() -> Connection:
    return ConnectionFactory()


def test_a_rejected_receipt_becomes_its_event_however_old_it_is(door: Connection) -> None:
    wedding = WeddingFactory(organization=door.organization)
    ExternalReferenceFactory(organization=door.organization, system=door.system, external_id="BK-1", wedding=wedding)
    made = receipt(door, errors=[{"field": "capacity", "reason": "of then"}], correlation_id=new_id())

    assert reprocess(made.id).outcome == ReprocessResult.BECOMES_EVENT

    made.refresh_from_db()
    assert (made.verdict, made.slug, made.reason, made.errors) == ("accepted", "", "", [])
    assert made.event_id == made.id
    assert made.reprocessed_at is not None
    assert bytes(made.body) == body()
    event = ChannelEvent.objects.get(id=made.id)
    assert (event.type, event.wedding, event.routing) == ("venue.capacity_updated", wedding, "pending")
    assert event.payload["capacity"] == 180
    assert event.correlation_id == made.correlation_id, "the log of the first request leads to it"
    assert event.organization_id == door.organization_id
    assert ChannelEntry.objects.filter(event=event, channel__name=f"couple:dashboard:{wedding.id}").exists()
    assert DedupId.objects.get(connection=door).receipt_id == made.id


def test_an_unrecognised_receipt_becomes_an_event_once_its_type_is_mapped(
    door: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = receipt(door, body(vendor_type="hall.resized"), verdict="unrecognised", slug="", reason="")
    claim(door, made.id)
    assert reprocess(made.id).outcome == ReprocessResult.STILL_UNRECOGNISED
    vendor = type(VENDORS["venue_master"])
    mapped: Mapping[str, str] = {**vendor.event_types, "hall.resized": "venue.capacity_updated"}
    monkeypatch.setattr(vendor, "event_types", mapped)

    assert reprocess(made.id).outcome == ReprocessResult.BECOMES_EVENT

    made.refresh_from_db()
    assert made.verdict == "accepted"
    assert ChannelEvent.objects.get().routing == "unlinked"
    assert DedupId.objects.count() == 1, "the claim was its own"


def test_the_second_time_finds_the_event_and_makes_nothing(door: Connection) -> None:
    made = receipt(door)
    reprocess(made.id)

    again = reprocess(made.id)

    assert (again.outcome, again.deliveries) == (ReprocessResult.ROUTED_AGAIN, 0)
    assert ChannelEvent.objects.count() == 1


def test_an_accepted_receipt_gets_only_the_deliveries_that_are_missing(door: Connection) -> None:
    mine = {"organization": door.organization}
    wedding = WeddingFactory(**mine, guest_count=99)
    targets = [SystemFactory(**mine) for _ in range(2)]
    for target in targets:
        ExternalReferenceFactory(**mine, system=target, wedding=wedding)
    RouteFactory(**mine, system=targets[0], channel_pattern="couple:dashboard:*")
    payload = {"guest_count": 120, "wedding_id": str(wedding.id)}
    event = EventFactory(
        **mine, wedding=wedding, type="guest_count.changed", payload=payload, routing="pending", effect="pending"
    )
    channel = f"couple:dashboard:{wedding.id}"
    put_on(event, channel)
    assert route_event.route(event.id) == 1
    wedding.guest_count = 130  # what happened since
    wedding.save()
    RouteFactory(**mine, system=targets[1], channel_pattern="couple:dashboard:*")
    RouteFactory(**mine, system=None, target="live", live_channel="team:capacity:all", channel_pattern="couple:*:*")
    made = receipt(door, verdict="accepted", event_id=event.id)

    assert reprocess(made.id).deliveries == 1
    assert reprocess(made.id).deliveries == 0

    assert Delivery.objects.filter(event=event).count() == 2
    assert ChannelEntry.objects.filter(event=event, channel__name="team:capacity:all").count() == 1
    wedding.refresh_from_db()
    assert wedding.guest_count == 130, "the wedding is not changed again"
    made.refresh_from_db()
    assert made.reprocessed_at is not None


@pytest.mark.parametrize("effect", ["unchanged", "stale"])
def test_an_event_that_changed_nothing_goes_nowhere_again(effect: str, door: Connection) -> None:
    mine = {"organization": door.organization}
    RouteFactory(**mine, channel_pattern="couple:dashboard:*")
    event = EventFactory(**mine, effect=effect)
    put_on(event, f"couple:dashboard:{event.wedding_id}")

    assert route_event.route_again(event.id) == 0
    assert not Delivery.objects.filter(event=event).exists()


def test_an_event_whose_routing_was_given_up_begins_anew(door: Connection) -> None:
    event = EventFactory(organization=door.organization, routing="failed", routing_failures=10)

    route_event.route_again(event.id)

    event.refresh_from_db()
    assert (event.routing, event.routing_failures) == ("pending", 0)


def test_what_can_not_be_processed_stays_as_it_is_and_says_why(door: Connection) -> None:
    disabled = ConnectionFactory(state="disabled")
    of_a_provider = ConnectionFactory(system__kind="slack")
    cases = {
        ReprocessResult.UNSIGNED: receipt(door, signed=False, slug="signature-mismatch"),
        ReprocessResult.STILL_REJECTED: receipt(door, body(max_capacity="many")),
        ReprocessResult.REUSED_ID: receipt(door, verdict="reused_id"),
        ReprocessResult.NOT_WHOLE: receipt(door, body_size=9_999_999),
        ReprocessResult.NO_EVENT: receipt(of_a_provider, verdict="unrecognised"),
        ReprocessResult.DISABLED: receipt(disabled),
    }
    before = list(Receipt.objects.order_by("id").values())

    found = {expected: reprocess(made.id) for expected, made in cases.items()}

    assert {expected: done.outcome for expected, done in found.items()} == {each: each for each in cases}
    assert "capacity" in found[ReprocessResult.STILL_REJECTED].reason
    assert list(Receipt.objects.order_by("id").values()) == before
    assert not ChannelEvent.objects.exists()
    assert not DedupId.objects.exists()


@pytest.mark.parametrize("junk", [b"", b"\xff\xfe", b"[]", b'{"id": NaN}', b"[" * 100, body(max_capacity="\x00")])
def test_a_body_that_is_still_junk_is_still_rejected(junk: bytes, door: Connection) -> None:
    assert reprocess(receipt(door, junk).id).outcome == ReprocessResult.STILL_REJECTED


def test_an_id_that_was_taken_meanwhile_is_not_taken_again(door: Connection) -> None:
    claim(door, new_id())
    made = receipt(door)

    assert preview(Receipt.objects.all()).counts == {ReprocessResult.DUPLICATE: 1}
    assert reprocess(made.id).outcome == ReprocessResult.DUPLICATE

    made.refresh_from_db()
    assert made.verdict == "rejected"
    assert not ChannelEvent.objects.exists()


def test_the_same_id_at_another_organizations_door_is_no_concern(door: Connection) -> None:
    claim(ConnectionFactory(), new_id())

    assert preview(Receipt.objects.filter(id=receipt(door).id)).counts == {ReprocessResult.BECOMES_EVENT: 1}
    assert reprocess_many(Receipt.objects.values_list("id", flat=True)) == {ReprocessResult.BECOMES_EVENT: 1}
    assert ChannelEvent.objects.get().organization_id == door.organization_id


def test_a_paused_connections_receipts_become_events_that_are_held() -> None:
    paused = ConnectionFactory(state="paused")
    wedding = WeddingFactory(organization=paused.organization)
    ExternalReferenceFactory(
        organization=paused.organization, system=paused.system, external_id="BK-1", wedding=wedding
    )

    reprocess(receipt(paused).id)

    assert ChannelEvent.objects.get().routing == "held"


def test_a_preview_counts_what_will_happen_and_does_nothing(door: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reprocessing, "BATCH", 2)
    event = EventFactory(organization=door.organization)
    receipt(door, body("vm_1"))
    receipt(door, body("vm_1", previous=3))  # the same id again: only the first can be taken
    receipt(door, body("vm_2"))
    receipt(door, body("vm_3", max_capacity="many"))
    receipt(door, body("vm_4"), signed=False)
    receipt(door, verdict="accepted", event_id=event.id)
    before = list(Receipt.objects.order_by("id").values())

    found = preview(Receipt.objects.all())

    expected = {
        ReprocessResult.BECOMES_EVENT: 2,
        ReprocessResult.DUPLICATE: 1,
        ReprocessResult.STILL_REJECTED: 1,
        ReprocessResult.UNSIGNED: 1,
        ReprocessResult.ROUTED_AGAIN: 1,
    }
    assert found.counts == expected
    assert found.does_something
    ((reason, times),) = found.common_reasons
    assert times == 1
    assert "capacity" in reason
    assert list(Receipt.objects.order_by("id").values()) == before
    assert reprocess_many(Receipt.objects.order_by("id").values_list("id", flat=True)) == Counter(expected)


def test_one_that_breaks_keeps_nothing_from_the_others(door: Connection) -> None:
    missing = new_id()

    assert reprocess_many([missing, receipt(door).id]) == {ReprocessResult.FAILED: 1, ReprocessResult.BECOMES_EVENT: 1}


def test_the_task_does_the_same(door: Connection) -> None:
    reprocess_task([str(receipt(door).id)])

    assert ChannelEvent.objects.count() == 1


def test_deliveries_of_another_generation_do_not_count_as_missing(door: Connection) -> None:
    event = EventFactory(organization=door.organization)
    DeliveryFactory(organization=door.organization, event=event, generation=1)

    assert route_event.route_again(event.id) == 0
    assert Delivery.objects.filter(event=event).count() == 1


@pytest.mark.django_db(transaction=True)
def test_many_who_reprocess_the_same_at_once_make_one_event() -> None:
    made = receipt(ConnectionFactory())

    outcomes = at_once(5, lambda _: reprocess(made.id).outcome)

    assert Counter(outcomes) == {ReprocessResult.BECOMES_EVENT: 1, ReprocessResult.ROUTED_AGAIN: 4}
    assert ChannelEvent.objects.filter(id=made.id).count() == 1


@pytest.mark.parametrize("away", [timedelta(hours=1), timedelta(days=-8)], ids=["ahead", "old"])
def test_what_came_outside_its_window_stays_rejected(away: timedelta) -> None:
    """Else a replay, or a clock that runs wild, would come in through staff."""
    door = ConnectionFactory(system__kind="studio_cloud")
    said = {
        "id": "vm_1",
        "eventType": "booking.cancelled",
        "timestamp": (timezone.now() + away).isoformat(),
        "payload": {"booking_id": "BK-1", "status": "cancelled"},
    }
    late = receipt(door, json.dumps(said).encode(), slug="bad-envelope")

    assert reprocess(late.id).outcome is ReprocessResult.STILL_REJECTED
    late.refresh_from_db()
    assert (late.verdict, late.event_id) == ("rejected", None)
