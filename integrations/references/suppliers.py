"""The systems that know a wedding, and their ids for it."""

from collections import defaultdict
from collections.abc import Iterable
from uuid import UUID

from integrations.models import ExternalReference, System


def of_weddings(wedding_ids: Iterable[UUID]) -> dict[UUID, list[UUID]]:
    """The suppliers of each wedding: the systems that hold a reference to it and are not disabled."""
    found: dict[UUID, list[UUID]] = defaultdict(list)
    rows = (
        ExternalReference.objects.filter(wedding_id__in=set(wedding_ids))
        .exclude(system__state=System.Status.DISABLED)
        .values_list("wedding_id", "system_id")
        .distinct()
    )
    for wedding_id, system_id in rows:
        found[wedding_id].append(system_id)
    return found


def booking_id(system_id: UUID, wedding_id: UUID | None) -> str | None:
    """The system's own id for a wedding, if it has one."""
    if wedding_id is None:
        return None
    return (
        ExternalReference.objects.filter(
            system_id=system_id, wedding_id=wedding_id, kind=ExternalReference.Kind.BOOKING
        )
        .values_list("external_id", flat=True)
        .first()
    )
