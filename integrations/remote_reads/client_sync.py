"""Reads changed clients from a CRM, page by page, and applies the changes to our contacts.

A page is committed together with the next cursor, on condition that the stored cursor is still the one that the page
was requested with. So a run may die anywhere, two runs may overlap, and each page counts once. docs/adr/0032.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from integrations.errors import DeliveryError, Permanent, TargetGone
from integrations.models import ClientSync, ExternalReference, System
from integrations.references import clients
from integrations.remote_reads.asking import ask
from integrations.vendors import VENDORS
from integrations.vendors.base import SchemaError
from integrations.wedding_events.effects import EventOrigin, wedding_event
from wedsync.ids import new_id
from wedsync.live.event_types.payloads import Id
from wedsync.live.log.writer import NewEvent
from wedsync.live.models import ChannelEvent
from wedsync.live.publishing import publish
from wedsync.wire.written_times import read_instant

log = structlog.get_logger(__name__)
PAGE = 50  # clients; they fit into an answer of 64 KiB
MOST_PAGES = 20  # of one run; the next run continues


class _Page(BaseModel):
    clients: list[dict[str, Any]] = Field(max_length=PAGE)
    cursor: str = Field(max_length=500)
    more: bool = False


class _Row(BaseModel):
    """The fields of each client besides those in the vendor's own names."""

    model_config = ConfigDict(extra="ignore")
    id: Id
    updated_at: Annotated[datetime, BeforeValidator(read_instant)]


@dataclass(frozen=True)
class _ClientData:
    """The CRM's data of one client, in our names."""

    external_id: str
    changed_at: datetime
    fields: dict[str, Any]


def can_be_read(system: System) -> bool:
    """Whether systems of this kind list their clients."""
    vendor = VENDORS.get(system.kind)
    return vendor is not None and vendor.lists_clients


def readable() -> Iterable[System]:
    """Every active system that lists its clients."""
    kinds = [slug for slug, vendor in VENDORS.items() if vendor.lists_clients]
    return System.objects.filter(kind__in=kinds, state=System.Status.ACTIVE).order_by("id")


def start_over(system: System) -> None:
    """Have the next run read all clients again, for instance after staff have linked more of them."""
    ClientSync.objects.filter(system=system).update(cursor="", read_to=None)


def sync(system: System, *, pages: int = MOST_PAGES) -> ClientSync:
    """Read the changes since the last run, at most ``pages`` pages; returns how far it got.

    An error of the CRM is kept in ``error``; the pages before it stay read.
    """
    row, _ = ClientSync.objects.get_or_create(system=system, defaults={"organization_id": system.organization_id})
    problem = ""
    try:
        for _ in range(pages):
            if not _read_page(system):
                break
    except DeliveryError as error:
        problem = str(error)[:300]
    ClientSync.objects.filter(id=row.id).update(error=problem)
    row.refresh_from_db()
    log.info("clients_read", system=str(system.id), seen=row.seen, changed=row.changed, error=problem)
    return row


def _read_page(system: System) -> bool:
    """Read one page; false if there is no further one for this run, or if another run has read it."""
    row = ClientSync.objects.get(system=system)
    page = _ask(system, row)
    read = list(_parsed(system, page.clients))
    newest = max((each.changed_at for each in read), default=row.read_to)
    with transaction.atomic():
        mine = ClientSync.objects.filter(id=row.id, cursor=row.cursor, read_to=row.read_to)
        if not mine.update(cursor=page.cursor, read_to=newest, ran_at=Now()):
            return False
        counts = _apply_all(system, read)
        ClientSync.objects.filter(id=row.id).update(
            seen=F("seen") + len(page.clients),
            changed=F("changed") + counts["changed"],
            unknown=F("unknown") + counts["unknown"],
            refused=F("refused") + len(page.clients) - len(read),
            finished_at=F("finished_at") if page.more else Now(),
        )
    return page.more and page.cursor != row.cursor


def _ask(system: System, row: ClientSync) -> _Page:
    query: dict[str, str | int] = {"limit": PAGE}
    if row.cursor:
        query["cursor"] = row.cursor
    elif row.read_to:
        query["updated_since"] = row.read_to.isoformat()
    try:
        answer = ask(system, "/clients", query, deadline=settings.CALL_DEADLINE_SECONDS)
        return _Page.model_validate(answer)
    except (Permanent, TargetGone):
        # A CRM forgets old cursors; the next run then continues from the time of the last change.
        ClientSync.objects.filter(id=row.id, cursor=row.cursor).update(cursor="")
        raise
    except ValidationError as error:
        raise Permanent("the answer is not a page of clients") from error


def _parsed(system: System, listed: Sequence[dict[str, Any]]) -> Iterable[_ClientData]:
    vendor = VENDORS[system.kind]
    for each in listed:
        try:
            row = _Row.model_validate(each)
            rest = {name: value for name, value in each.items() if name not in {"id", "updated_at"}}
            fields = vendor.canonical("client.updated", {**_without_id(rest, vendor.words), "client_id": row.id})
        except (ValidationError, SchemaError):
            continue
        yield _ClientData(row.id, min(row.updated_at, timezone.now()), fields)


def _without_id(rest: dict[str, Any], words: Any) -> dict[str, Any]:
    return {name: value for name, value in rest.items() if name not in {"client_id", words.get("client_id")}}


def _apply_all(system: System, read: Sequence[_ClientData]) -> Counter[str]:
    """Apply each client's changes to its contact and publish them, in the caller's transaction.

    Contacts are locked in one order, since two CRMs may report the same people at the same time.
    """
    counts: Counter[str] = Counter()
    known: list[tuple[ExternalReference, _ClientData]] = []
    for each in read:
        reference = _reference(system, each)
        if reference is None or reference.contact is None:
            counts["unknown"] += 1
        else:
            known.append((reference, each))
    events: list[NewEvent] = []
    for reference, each in sorted(known, key=lambda pair: (str(pair[0].contact_id), pair[1].changed_at)):
        change = clients.apply_change(reference, each.fields, each.changed_at)
        if change.changed and reference.contact is not None:
            counts["changed"] += 1
            events.append(_event(system, reference, each, change))
    publish(events)
    return counts


def _reference(system: System, each: _ClientData) -> ExternalReference | None:
    found = ExternalReference.objects.filter(
        system=system, kind=ExternalReference.Kind.CLIENT, external_id=each.external_id
    )
    reference = found.select_related("contact__wedding").first()
    if reference is not None:
        return reference
    contact = clients.contact_with(system, each.fields.get("email"))
    if contact is None or clients.reference_to(system, contact) is not None:
        return None
    return clients.remember(system, contact, each.external_id, {})


def _event(system: System, reference: ExternalReference, each: _ClientData, change: clients.ContactChange) -> NewEvent:
    """A ``client.updated`` with the changed values only; it does not go back to the system that it came from."""
    assert reference.contact is not None  # noqa: S101
    origin = EventOrigin(ChannelEvent.Source.WEDSYNC, each.changed_at, new_id(), effect=ChannelEvent.Effect.APPLIED)
    payload: dict[str, Any] = {"client_id": each.external_id, **change.changed}
    if change.before:
        payload["before"] = change.before
    event = wedding_event(reference.contact.wedding, "client.updated", payload, origin)
    return replace(event, source_system_id=system.id)
