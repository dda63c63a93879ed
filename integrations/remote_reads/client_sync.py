"""Reading the clients that changed in a CRM, page by page, and letting their changes reach our contacts.

A page is committed together with the cursor behind it, on the condition that the cursor is still the one that the page
was asked with. So a run may die anywhere, two runs may meet, and each page counts once. docs/adr/0032.
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
PAGE = 50  # clients; an answer of 64 KiB has room for them
MOST_PAGES = 20  # of one run; the next run goes on


class _Page(BaseModel):
    clients: list[dict[str, Any]] = Field(max_length=PAGE)
    cursor: str = Field(max_length=500)
    more: bool = False


class _Row(BaseModel):
    """What each client has besides its fields in the vendor's words."""

    model_config = ConfigDict(extra="ignore")
    id: Id
    updated_at: Annotated[datetime, BeforeValidator(read_instant)]


@dataclass(frozen=True)
class _Said:
    """What the CRM says of one client, in our names."""

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


def begin_anew(system: System) -> None:
    """Let the next run read all clients again, for instance after staff have linked more of them."""
    ClientSync.objects.filter(system=system).update(cursor="", read_to=None)


def sync(system: System, *, pages: int = MOST_PAGES) -> ClientSync:
    """Read what has changed since the last run, at most so many pages; returns how far it got.

    What goes wrong with the CRM stands in ``error``; the pages before it stay read.
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
    """One page; false when there is no further one for this run, also because another run has taken it."""
    row = ClientSync.objects.get(system=system)
    page = _ask(system, row)
    said = list(_understood(system, page.clients))
    newest = max((each.changed_at for each in said), default=row.read_to)
    with transaction.atomic():
        mine = ClientSync.objects.filter(id=row.id, cursor=row.cursor, read_to=row.read_to)
        if not mine.update(cursor=page.cursor, read_to=newest, ran_at=Now()):
            return False
        counts = _take_all(system, said)
        ClientSync.objects.filter(id=row.id).update(
            seen=F("seen") + len(page.clients),
            changed=F("changed") + counts["changed"],
            unknown=F("unknown") + counts["unknown"],
            refused=F("refused") + len(page.clients) - len(said),
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
        # A CRM forgets old cursors; then the time of the last change leads on.
        ClientSync.objects.filter(id=row.id, cursor=row.cursor).update(cursor="")
        raise
    except ValidationError as error:
        raise Permanent("the answer is no page of clients") from error


def _understood(system: System, listed: Sequence[dict[str, Any]]) -> Iterable[_Said]:
    vendor = VENDORS[system.kind]
    for each in listed:
        try:
            row = _Row.model_validate(each)
            rest = {name: value for name, value in each.items() if name not in {"id", "updated_at"}}
            fields = vendor.canonical("client.updated", {**_without_id(rest, vendor.words), "client_id": row.id})
        except (ValidationError, SchemaError):
            continue
        yield _Said(row.id, min(row.updated_at, timezone.now()), fields)


def _without_id(rest: dict[str, Any], words: Any) -> dict[str, Any]:
    return {name: value for name, value in rest.items() if name not in {"client_id", words.get("client_id")}}


def _take_all(system: System, said: Sequence[_Said]) -> Counter[str]:
    """Let each client's changes reach its contact, and make them known; in the caller's transaction.

    Contacts are locked in one order, since two CRMs may speak of the same people at the same time.
    """
    counts: Counter[str] = Counter()
    known: list[tuple[ExternalReference, _Said]] = []
    for each in said:
        reference = _reference(system, each)
        if reference is None or reference.contact is None:
            counts["unknown"] += 1
        else:
            known.append((reference, each))
    news: list[NewEvent] = []
    for reference, each in sorted(known, key=lambda pair: (str(pair[0].contact_id), pair[1].changed_at)):
        taken = clients.apply_change(reference, each.fields, each.changed_at)
        if taken.changed and reference.contact is not None:
            counts["changed"] += 1
            news.append(_event(system, reference, each, taken))
    publish(news)
    return counts


def _reference(system: System, each: _Said) -> ExternalReference | None:
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


def _event(system: System, reference: ExternalReference, each: _Said, taken: clients.Taken) -> NewEvent:
    """A ``client.updated`` with only what changed; it does not go back to the system that it came from."""
    assert reference.contact is not None  # noqa: S101
    origin = EventOrigin(ChannelEvent.Source.WEDSYNC, each.changed_at, new_id(), effect=ChannelEvent.Effect.APPLIED)
    payload: dict[str, Any] = {"client_id": each.external_id, **taken.changed}
    if taken.before:
        payload["before"] = taken.before
    event = wedding_event(reference.contact.wedding, "client.updated", payload, origin)
    return replace(event, source_system_id=system.id)
