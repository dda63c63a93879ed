"""The live channels that events appear on, and how many a client follows. docs/developers/realtime.md, "Channels"."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from wedsync.live.event_types.catalogue import Scope, type_of
from wedsync.wire.channel_names import LONGEST_NAME as LONGEST_NAME
from wedsync.wire.channel_names import NAME as NAME
from wedsync.wire.channel_names import check_name as check_name
from wedsync.wire.channel_names import check_pattern as check_pattern
from wedsync.wire.channel_names import check_template as check_template
from wedsync.wire.channel_names import fill as fill
from wedsync.wire.channel_names import matches as matches
from wedsync.wire.channel_names import one_covers as one_covers

MOST_CHANNELS = 128  # per socket


def ops_channel(organization_id: UUID | str) -> str:
    """The channel on which an organization's staff see the health of its systems."""
    return f"ops:health:{organization_id}"


def names_of_wedding(wedding_id: UUID | str) -> list[str]:
    """The company's own channels that show one wedding."""
    return [f"couple:dashboard:{wedding_id}", f"journey:milestone:{wedding_id}"]


def names_for(
    event_type: str,
    *,
    organization_id: UUID | str,
    wedding_id: UUID | str | None,
    supplier_ids: Iterable[UUID | str] = (),
    source_system_id: UUID | str | None = None,
    payload: Mapping[str, object] | None = None,
) -> list[str]:
    """The channels that an event appears on, sorted. ``supplier_ids`` are the systems of the wedding."""
    found: set[str] = set()
    for scope in type_of(event_type).scopes:
        match scope:
            case Scope.COUPLE if wedding_id:
                found.add(f"couple:dashboard:{wedding_id}")
            case Scope.JOURNEY if wedding_id:
                found.add(f"journey:milestone:{wedding_id}")
            case Scope.SUPPLIERS:
                found.update(f"supplier:dashboard:{supplier}" for supplier in supplier_ids)
            case Scope.SUPPLIER if source_system_id:
                found.add(f"supplier:dashboard:{source_system_id}")
            case Scope.PHOTOGRAPHY:
                found.add(f"supplier:photography:{organization_id}")
            case Scope.URGENT:
                found.add(f"urgent:wedding-day:{organization_id}")
            case Scope.OPS:
                found.add(ops_channel(organization_id))
            case Scope.FORM if payload and payload.get("form_id"):
                found.add(f"form:response:{payload['form_id']}")
    return sorted(found)
