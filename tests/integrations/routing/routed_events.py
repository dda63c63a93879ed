"""Events of a wedding, and routes to its people."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from integrations.models import Route, System
from tests.factories import RouteFactory, SystemFactory
from wedsync.live.log.writer import NewEvent, append
from wedsync.live.models import ChannelEvent


def stored(wedding: Any, event_type: str = "guest_count.changed", payload: Any = None, **rest: Any) -> ChannelEvent:
    with transaction.atomic():
        (event,) = append(
            [
                NewEvent(
                    wedding.organization_id,
                    wedding.id,
                    event_type,
                    payload or {"guest_count": 120},
                    timezone.now(),
                    rest.pop("source", ChannelEvent.Source.API),
                    rest.pop("channels", [f"couple:dashboard:{wedding.id}"]),
                    **rest,
                )
            ]
        )
    return event


def people_route(wedding: Any, **rest: Any) -> Route:
    SystemFactory(organization=wedding.organization, kind=System.Kind.WHATSAPP)
    made: Route = RouteFactory(
        organization=wedding.organization,
        channel_pattern="couple:dashboard:{id}",
        target=Route.Target.PEOPLE,
        system=None,
        **{"roles": ["couple"], "channels": ["whatsapp"]} | rest,
    )
    return made
