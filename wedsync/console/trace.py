"""The trace of one event: its receipt, its channels, its deliveries, and every attempt."""

from __future__ import annotations

import json
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Prefetch
from django.http import Http404

from integrations.models import Attempt, Delivery, System
from notifications.models import Message, Notification
from notifications.trace.answers import Answer, answer, with_what_came
from webhooks.models import Receipt
from wedsync.live.models import ChannelEntry, ChannelEvent
from wedsync.weddings.tenant_admin.access import Access

MOST_DELIVERIES = 200


@dataclass(frozen=True)
class SentDelivery:
    """A delivery with the message that it carried, if it went to a person."""

    delivery: Delivery
    message: Message | None


@dataclass(frozen=True)
class Heard:
    """A recipient of the event, and whether they got it."""

    notification: Notification
    answer: Answer


@dataclass(frozen=True)
class Trace:
    """Everything that is known about one event."""

    event: ChannelEvent
    payload: str
    sender: System | None
    receipt: Receipt | None
    entries: list[ChannelEntry]
    steps: list[SentDelivery]
    people: list[Heard]
    related: list[ChannelEvent]


def trace(seen_by: Access, event_id: UUID) -> Trace:
    """The event's trace.

    Raises:
        Http404: there is no such event that the user may see.
    """
    rows = seen_by.bound(ChannelEvent.objects.select_related("organization", "wedding"), "organization")
    event = rows.filter(id=event_id).first()
    if event is None:
        raise Http404
    same = {"organization_id": event.organization_id}
    return Trace(
        event=event,
        payload=json.dumps(event.payload, indent=2, ensure_ascii=False),
        sender=System.objects.filter(id=event.source_system_id, **same).first() if event.source_system_id else None,
        receipt=Receipt.objects.filter(id=event.id, **same).select_related("connection__system").defer("body").first(),
        entries=list(ChannelEntry.objects.filter(event=event).select_related("channel").order_by("channel__name")),
        steps=_steps(event),
        people=_people(event),
        related=list(
            ChannelEvent.objects.filter(correlation_id=event.correlation_id, **same).exclude(id=event.id)[:10]
        ),
    )


def _people(event: ChannelEvent) -> list[Heard]:
    rows = Notification.objects.filter(event=event, organization_id=event.organization_id).order_by("name", "id")
    return [Heard(each, answer(each)) for each in with_what_came(rows)[:MOST_DELIVERIES]]


def _steps(event: ChannelEvent) -> list[SentDelivery]:
    deliveries = list(
        Delivery.objects.filter(event=event, organization_id=event.organization_id)
        .select_related("system", "contact")
        .prefetch_related("reasons", Prefetch("attempts", queryset=Attempt.objects.order_by("number")))
        .order_by("id")[:MOST_DELIVERIES]
    )
    messages = {message.delivery_id: message for message in Message.objects.filter(delivery__in=deliveries)}
    return [SentDelivery(delivery, messages.get(delivery.id)) for delivery in deliveries]
