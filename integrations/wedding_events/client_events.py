"""Events that clients publish on live channels: checked like a vendor's, stored and routed in the same way."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson
from django.db import transaction
from django.utils import timezone
from pydantic import ValidationError

from integrations.references import suppliers
from integrations.vendors.reasons import problems_of
from wedsync.ids import as_id
from wedsync.live import channels
from wedsync.live.access.bearers import PersonKind
from wedsync.live.access.passes import OPS, Pass, Right
from wedsync.live.event_types.catalogue import EMERGENCY, is_known, type_of
from wedsync.live.log.writer import NewEvent
from wedsync.live.models import ChannelEntry, ChannelEvent
from wedsync.live.publishing import LARGEST_EVENT, Published, PublishForbidden, PublishRefused
from wedsync.live.publishing import publish as publish_events
from wedsync.weddings.models import Wedding
from wedsync.wire.plain_text import clean
from wedsync.wire.problems import FieldProblem
from wedsync.wire.strict_json import is_storable

_OURS = (OPS, "urgent:")
_NAMED_AFTER_WEDDINGS = ("couple", "journey")
_SUPPLIER = "supplier:dashboard:"
_EMERGENCIES = "Report an emergency with POST /api/incidents/."


def publish(pass_: Pass, channel: str, content: Mapping[str, Any]) -> Published:
    """Publish a client's event: ``{"type", "payload", "wedding_id"?}``.

    It appears on the named channel, and on those of its type that the client may use as well.

    Raises:
        PublishForbidden: the client may not publish there, or not this type.
        PublishRefused: the event is not acceptable.
    """
    event_type = _check_rights(pass_, channel, content)
    payload = _payload(event_type, content)
    wedding_id = _wedding(pass_, channel, event_type, content, payload)
    if wedding_id:
        payload["wedding_id"] = str(wedding_id)
    new = NewEvent(
        organization_id=pass_.organization_id,
        wedding_id=wedding_id,
        type=event_type,
        payload=payload,
        occurred_at=timezone.now(),
        source=ChannelEvent.Source.API,
        channels=_names(pass_, channel, event_type, wedding_id, payload),
        author=f"API key “{pass_.person.name}”" if pass_.person.kind == PersonKind.KEY else pass_.person.name,
    )
    with transaction.atomic():
        (event,) = publish_events([new])
        sequence = ChannelEntry.objects.values_list("sequence", flat=True).get(event=event, channel__name=channel)
    return Published(event, sequence)


def _check_rights(pass_: Pass, channel: str, content: Mapping[str, Any]) -> str:
    """The event's type, if the client may publish it there."""
    if not pass_.may(Right.PUBLISH):
        raise PublishForbidden("Publishing needs a key with the scope live:publish, or a planner's or owner's role.")
    if channel.startswith(_OURS):
        raise PublishForbidden(f"Only WedSync publishes on channels of {' and '.join(_OURS)}. {_EMERGENCIES}")
    if not pass_.covers(channel):
        raise PublishForbidden("Your key or ticket does not cover this channel.")
    event_type = content.get("type")
    if not isinstance(event_type, str) or not is_known(event_type):
        raise PublishRefused(
            FieldProblem("type", "must be a type of the catalogue, or custom. and a word of a to z, 0 to 9 and _")
        )
    if event_type == EMERGENCY or event_type.startswith("incident."):
        raise PublishForbidden(f"Nobody publishes {event_type}. {_EMERGENCIES}")
    if type_of(event_type).is_ours:
        raise PublishForbidden(f"Only WedSync publishes {event_type}.")
    return event_type


def _payload(event_type: str, content: Mapping[str, Any]) -> dict[str, Any]:
    """The payload as plain text, checked by its type's schema."""
    given, schema = content.get("payload", {}), type_of(event_type).payload
    if not isinstance(given, dict):
        raise PublishRefused(FieldProblem("payload", "must be an object"))
    if len(orjson.dumps(given)) > LARGEST_EVENT:
        raise PublishRefused(FieldProblem("payload", f"may have at most {LARGEST_EVENT:,} bytes as JSON"))
    if not is_storable(given):
        raise PublishRefused(FieldProblem("payload", "has characters that cannot be stored, such as NUL"))
    if reserved := sorted(set(given) & schema.ours):
        raise PublishRefused(*(FieldProblem(f"payload.{name}", "is filled in by WedSync") for name in reserved))
    try:
        checked = schema.model_validate(clean(given))
    except ValidationError as error:
        raise PublishRefused(
            *(FieldProblem(f"payload.{each.field}", each.reason) for each in problems_of(error))
        ) from error
    return {name: value for name, value in checked.model_dump(mode="json").items() if value is not None}


def _wedding(
    pass_: Pass, channel: str, event_type: str, content: Mapping[str, Any], payload: Mapping[str, Any]
) -> UUID | None:
    """The wedding that the event is about: as named, or as its channel is."""
    scope, _, id_ = channel.split(":")
    of_channel = as_id(id_) if scope in _NAMED_AFTER_WEDDINGS else None
    named = {as_id(str(each)) for each in (content.get("wedding_id"), payload.get("wedding_id")) if each is not None}
    if len(named | ({of_channel} if of_channel else set())) > 1:
        raise PublishRefused(FieldProblem("wedding_id", "names another wedding than the channel or the payload"))
    chosen = next(iter(named), of_channel)
    if chosen is None and not named:
        if type_of(event_type).needs_wedding:
            raise PublishRefused(FieldProblem("wedding_id", f"is missing: {event_type} is about a wedding"))
        return None
    if chosen is None or not _may_name(pass_, channel, chosen):
        raise PublishRefused(FieldProblem("wedding_id", "is no wedding of the channels that you may use"))
    return chosen


def _may_name(pass_: Pass, channel: str, wedding_id: UUID) -> bool:
    """Whether the client's channels are about this wedding: one that is limited to some reaches no other."""
    if not Wedding.objects.filter(organization_id=pass_.organization_id, id=wedding_id).exists():
        return False
    if pass_.covers(f"couple:dashboard:{wedding_id}"):
        return True
    system = as_id(channel.removeprefix(_SUPPLIER)) if channel.startswith(_SUPPLIER) else None
    return system is not None and system in suppliers.of_weddings([wedding_id])[wedding_id]


def _names(
    pass_: Pass, channel: str, event_type: str, wedding_id: UUID | None, payload: Mapping[str, Any]
) -> Sequence[str]:
    of_type = channels.names_for(
        event_type,
        organization_id=pass_.organization_id,
        wedding_id=wedding_id,
        supplier_ids=suppliers.of_weddings([wedding_id])[wedding_id] if wedding_id else (),
        payload=payload,
    )
    return sorted({channel, *(name for name in of_type if pass_.covers(name) and not name.startswith(_OURS))})
