"""Linking: an event without a known wedding gets one, once staff or a new reference determine it.

Even if several processes link at the same time, an event is linked once: its row is locked, and others skip it. The
order of locks is reference, events, channels.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models import F, Func, JSONField, QuerySet, Value
from django.db.models.functions import Now

from integrations.models import Connection, ExternalReference, System
from integrations.references import suppliers
from wedsync.live import channels
from wedsync.live.fan_out import hints
from wedsync.live.fan_out.hints import RouteHint
from wedsync.live.log.writer import append
from wedsync.live.models import ChannelEntry, ChannelEvent
from wedsync.weddings.models import Wedding

Kind, Routing = ExternalReference.Kind, ChannelEvent.Routing
MOST_COUNTED = 10_000
BATCH = 200  # events in one transaction


class CannotLink(ValueError):
    """An event cannot be linked like that; the message tells staff why."""


class ExternalName(NamedTuple):
    """An outside system's name for the subject of its event."""

    kind: ExternalReference.Kind
    external_id: str


def name_used_by(event: ChannelEvent) -> ExternalName | None:
    """The sender's name for an event's wedding; ``None``: it gave none, so no other event is like this one."""
    if event.source_system_id is None:
        return None
    return name_of(event.payload.get("booking_id"), event.payload.get("client_id"))


def name_of(booking_id: str | None, client_id: str | None) -> ExternalName | None:
    """The name that counts if a payload contains one or both: the booking's comes first."""
    if booking_id:
        return ExternalName(Kind.BOOKING, booking_id)
    return ExternalName(Kind.CLIENT, client_id) if client_id else None


def like(event: ChannelEvent) -> QuerySet[ChannelEvent]:
    """The unlinked events with the same subject: of the same organization and system, under the same name."""
    name = name_used_by(event)
    if name is None or event.source_system_id is None:
        return unlinked_of(event.organization_id).filter(id=event.id)
    return _named(event.organization_id, event.source_system_id, name)


def unlinked_of(organization_id: UUID) -> QuerySet[ChannelEvent]:
    """An organization's unlinked events, queried so that PostgreSQL uses their partial index."""
    return ChannelEvent.objects.filter(organization_id=organization_id, routing=Routing.UNLINKED)


def count_unlinked(organization_id: UUID | None = None) -> int:
    """How many events wait for a wedding, in one organization or in all; counts :data:`MOST_COUNTED` at most."""
    rows = unlinked_of(organization_id) if organization_id else ChannelEvent.objects.filter(routing=Routing.UNLINKED)
    return rows.order_by()[:MOST_COUNTED].count()


def _named(organization_id: UUID, system_id: UUID, name: ExternalName) -> QuerySet[ChannelEvent]:
    unlinked = unlinked_of(organization_id).filter(source_system_id=system_id)
    if name.kind == Kind.BOOKING:
        return unlinked.filter(payload__booking_id=name.external_id)
    return unlinked.filter(payload__client_id=name.external_id, payload__booking_id__isnull=True)


def link(event: ChannelEvent, wedding: Wedding, *, all_like_it: bool) -> int:
    """Link an unlinked event to its wedding; returns how many events were linked.

    Linked events appear on the wedding's channels and are routed, in the order in which they happened.

    Arguments:
        all_like_it: also link those with the same name from the same system, and future ones. That makes an external
            reference. Otherwise only this event is linked, and no reference is made.

    Raises:
        CannotLink: the wedding belongs to another organization, or the name already means another wedding.
    """
    if wedding.organization_id != event.organization_id:
        raise CannotLink("The wedding belongs to another organization.")
    if not all_like_it:
        return link_each([event.id], wedding)
    return link_named(_make_reference(event, wedding))


def _make_reference(event: ChannelEvent, wedding: Wedding) -> ExternalReference:
    name = name_used_by(event)
    if name is None or event.source_system_id is None:
        raise CannotLink("The event names no booking and no client, so no other event is like it. Link only this one.")
    system = System.objects.filter(id=event.source_system_id, organization_id=event.organization_id).first()
    if system is None:
        raise CannotLink("The system that sent the event no longer exists. Link only this one.")
    reference, _ = ExternalReference.objects.select_related("wedding", "contact__wedding").get_or_create(
        system=system,
        kind=name.kind,
        external_id=name.external_id,
        defaults={"organization_id": event.organization_id, "wedding": wedding},
    )
    known = wedding_of(reference)
    if known != wedding:
        raise CannotLink(
            f"{name.kind.label} {name.external_id} of {system} already means {known}. "
            "Change that external reference first, or link only this event."
        )
    return reference


def wedding_of(reference: ExternalReference) -> Wedding | None:
    """The wedding that a reference leads to: its own, or its contact's."""
    if reference.wedding is not None:
        return reference.wedding
    return reference.contact.wedding if reference.contact else None


def link_each(event_ids: Sequence[UUID], wedding: Wedding) -> int:
    """Link those of the events to a wedding that belong to its organization and are unlinked; returns how many.

    No reference is made.
    """
    rows = unlinked_of(wedding.organization_id).filter(id__in=event_ids).order_by("occurred_at", "id")
    linked = 0
    for batch in _batches(list(rows.values_list("id", flat=True))):
        with transaction.atomic():
            linked += _link(batch, wedding)
    return linked


def link_named(reference: ExternalReference, at_most: int | None = None) -> int:
    """Link the unlinked events that a reference names; returns how many.

    The reference's row stays locked during each batch, so that concurrent linking keeps the order of the events.
    """
    name = ExternalName(Kind(reference.kind), reference.external_id)
    rows = _named(reference.organization_id, reference.system_id, name).order_by("occurred_at", "id")
    linked = 0
    for batch in _batches(list(rows.values_list("id", flat=True)[:at_most])):
        with transaction.atomic():
            locked = ExternalReference.objects.select_for_update(of=("self",), no_key=True)
            present = locked.select_related("wedding", "contact__wedding").filter(id=reference.id).first()
            wedding = wedding_of(present) if present else None
            if wedding is None:
                break
            linked += _link(batch, wedding)
    return linked


def link_now(event_ids: Sequence[UUID], wedding: Wedding, **marks: bool) -> int:
    """Link an emergency's reports, whatever their connection's state; returns how many were still unlinked.

    Unlike :func:`link_each` it waits for locked rows instead of skipping them. Call it in a transaction.

    Arguments:
        marks: added to their payloads, such as ``wedding_assumed=True``.
    """
    rows = unlinked_of(wedding.organization_id).select_for_update(no_key=True)
    events = list(rows.filter(id__in=event_ids).order_by("occurred_at", "id"))
    for event in events:
        event.wedding, event.routing = wedding, Routing.PENDING
    _store_links(events, wedding, marks)
    return len(events)


def _batches(ids: Sequence[UUID]) -> Iterable[Sequence[UUID]]:
    return (ids[start : start + BATCH] for start in range(0, len(ids), BATCH))


def _link(event_ids: Sequence[UUID], wedding: Wedding) -> int:
    """Link one batch, in the caller's transaction."""
    events = list(
        unlinked_of(wedding.organization_id)
        .select_for_update(skip_locked=True, no_key=True)
        .filter(id__in=event_ids)
        .order_by("occurred_at", "id")
    )
    closed = set(
        Connection.objects.filter(id__in={event.source_connection_id for event in events})
        .exclude(state=Connection.Status.ACTIVE)
        .values_list("id", flat=True)
    )
    for event in events:
        event.wedding = wedding
        event.routing = Routing.HELD if event.source_connection_id in closed else Routing.PENDING
    _store_links(events, wedding, {})
    return len(events)


def _store_links(events: Sequence[ChannelEvent], wedding: Wedding, marks: Mapping[str, bool]) -> None:
    for routing in (Routing.PENDING, Routing.HELD):
        _write(wedding, routing, [event.id for event in events if event.routing == routing], marks)
    places = _further_places(events, wedding)
    append([], also=places)
    routes = [RouteHint(str(event.id), event.priority) for event in events if event.routing == Routing.PENDING]
    wake = {hints.channel_key(event.organization_id, name) for event, name in places}
    transaction.on_commit(lambda: hints.committed(routes, sorted(wake)))


def _write(
    wedding: Wedding, routing: ChannelEvent.Routing, event_ids: Sequence[UUID], marks: Mapping[str, bool]
) -> None:
    """Set ``hinted_at`` for pending events: their hints are sent after the commit, so the sweep need not send any."""
    named = Func(
        F("payload"),
        Value({"wedding_id": str(wedding.id), **marks}, output_field=JSONField()),
        template="%(expressions)s",
        arg_joiner=" || ",
        output_field=JSONField(),
    )
    rows = ChannelEvent.objects.filter(id__in=event_ids, routing=Routing.UNLINKED)
    hinted_at = Now() if routing == Routing.PENDING else None
    rows.update(wedding=wedding, routing=routing, payload=named, hinted_at=hinted_at)


def _further_places(events: Sequence[ChannelEvent], wedding: Wedding) -> list[tuple[ChannelEvent, str]]:
    """The channels that the events belong to now, except those they are already on."""
    present = set(ChannelEntry.objects.filter(event__in=events).values_list("event_id", "channel__name"))
    supplier_ids = suppliers.of_weddings([wedding.id])[wedding.id]
    return [
        (event, name)
        for event in events
        for name in channels.names_for(
            event.type,
            organization_id=event.organization_id,
            wedding_id=wedding.id,
            supplier_ids=supplier_ids,
            source_system_id=event.source_system_id,
            payload=event.payload,
        )
        if (event.id, name) not in present
    ]
