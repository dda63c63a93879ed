"""Events as the door and the API store them."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from wedsync.live.log.writer import NewEvent, append
from wedsync.live.models import ChannelEvent
from wedsync.weddings.models import Wedding


def stored(wedding: Wedding, event_type: str, payload: dict[str, Any], **rest: Any) -> ChannelEvent:
    """One event of the wedding, on its couple's channel unless ``channels`` says otherwise; not yet routed."""
    priority = rest.pop("priority", None)
    with transaction.atomic():
        (event,) = append(
            [
                NewEvent(
                    wedding.organization_id,
                    wedding.id,
                    event_type,
                    {"wedding_id": str(wedding.id), **payload},
                    timezone.now(),
                    rest.pop("source", ChannelEvent.Source.API),
                    rest.pop("channels", [f"couple:dashboard:{wedding.id}"]),
                    **rest,
                )
            ]
        )
    if priority and event.priority != priority:
        ChannelEvent.objects.filter(id=event.id).update(priority=priority)
        event.refresh_from_db()
    return event
