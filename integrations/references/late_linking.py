"""Finds unlinked events whose reference now exists: staff added it, or it was made while the event came in."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

import structlog
from django.db.models import QuerySet

from integrations.models import ExternalReference
from integrations.references.linking import ExternalName, link_named, name_of, unlinked_of
from wedsync.database.errors import POSTGRES_AWAY, lock_is_held
from wedsync.live.models import ChannelEvent

log = structlog.get_logger(__name__)
Kind, Routing = ExternalReference.Kind, ChannelEvent.Routing


class _Seen(NamedTuple):
    id: UUID
    organization_id: UUID
    system_id: UUID | None
    booking_id: str | None
    client_id: str | None


class LateLinking:
    """One process's walk through the unlinked events.

    Nothing signals a new reference, so each round checks some of the unlinked events, and continues where the last
    round ended. Up to 2,000 are all checked every second; a million takes some minutes, at the same cost per round. If
    there are none, the round reads only an empty index.
    """

    PAGE = 500
    PAGES = 4
    MOST_LINKED = 1_000

    def __init__(self) -> None:
        self._organization_id: UUID | None = None
        self._before: UUID | None = None

    def round(self) -> int:
        """Link what can be linked, at most a thousand; returns how many."""
        linked = 0
        for _ in range(self.PAGES):
            page = self._rest_of_organization() or self._next_organization()
            if not page:
                self._organization_id = self._before = None
                break
            for reference in _references_of(page):
                linked += _link_or_log(reference, self.MOST_LINKED - linked)
            if linked >= self.MOST_LINKED:
                break  # there may be more on this page, so the next round begins with it
            self._organization_id, self._before = page[-1].organization_id, page[-1].id
        return linked

    def _rest_of_organization(self) -> list[_Seen]:
        if self._organization_id is None or self._before is None:
            return []
        return self._page(unlinked_of(self._organization_id).filter(id__lt=self._before))

    def _next_organization(self) -> list[_Seen]:
        rows = ChannelEvent.objects.filter(routing=Routing.UNLINKED)
        if self._organization_id is not None:
            rows = rows.filter(organization_id__gt=self._organization_id)
        following = rows.order_by("organization_id").values_list("organization_id", flat=True).first()
        return self._page(unlinked_of(following)) if following else []

    def _page(self, rows: QuerySet[ChannelEvent]) -> list[_Seen]:
        fields = ("id", "organization_id", "source_system_id", "payload__booking_id", "payload__client_id")
        return [_Seen(*row) for row in rows.order_by("-id").values_list(*fields)[: self.PAGE]]


def _references_of(page: Sequence[_Seen]) -> list[ExternalReference]:
    """The references of a page's events, which all belong to one organization."""
    names = {(seen.system_id, name) for seen in page if (name := name_of(seen.booking_id, seen.client_id))}
    rows = ExternalReference.objects.filter(
        organization_id=page[0].organization_id,
        system_id__in={system_id for system_id, _ in names},
        external_id__in={name.external_id for _, name in names},
    )
    return [row for row in rows if (row.system_id, ExternalName(Kind(row.kind), row.external_id)) in names]


def _link_or_log(reference: ExternalReference, at_most: int) -> int:
    """Link one reference's events. A broken reference must not stop the others."""
    try:
        return link_named(reference, at_most)
    except POSTGRES_AWAY as error:
        if not lock_is_held(error):
            raise
        log.warning("reference_waits_for_locked_row", reference=str(reference.id))
        return 0
    except Exception:
        log.exception("reference_not_linked", reference=str(reference.id))
        return 0
