"""Staff stop a system or a connection, and let it go on."""

from django.db import transaction
from django.utils import timezone

from integrations.models import Connection, ConnectionSecret, System
from wedsync.live.models import ChannelEvent

BY_STAFF = "by staff"


def pause_system(system: System) -> None:
    """Hold what goes to the system; :func:`integrations.deliveries.resume` lets it go."""
    System.objects.filter(id=system.id).update(state=System.Status.PAUSED, state_reason=BY_STAFF)


def disable_system(system: System) -> None:
    """End what goes to the system; such deliveries are dead."""
    System.objects.filter(id=system.id).update(state=System.Status.DISABLED, state_reason=BY_STAFF)


def pause_connection(connection: Connection) -> None:
    """Accept and store what comes in, and route it later."""
    Connection.objects.filter(id=connection.id).update(state=Connection.Status.PAUSED)


def disable_connection(connection: Connection) -> None:
    """Answer 404 from now on."""
    Connection.objects.filter(id=connection.id).update(state=Connection.Status.DISABLED)


@transaction.atomic
def resume_connection(connection: Connection) -> int:
    """Route from now on, and first what was held; returns how many events that are. The sweep takes them up."""
    Connection.objects.filter(id=connection.id).update(state=Connection.Status.ACTIVE)
    return ChannelEvent.objects.filter(
        organization_id=connection.organization_id,
        source_system_id=connection.system_id,
        routing=ChannelEvent.Routing.HELD,
    ).update(routing=ChannelEvent.Routing.PENDING)


def end_older_secrets(connection: Connection) -> int:
    """End every live secret but the newest; returns how many."""
    newest = connection.secrets.order_by("-created_at", "-id").first()
    if newest is None:
        return 0
    now = timezone.now()
    live = ConnectionSecret.objects.filter(connection=connection).exclude(id=newest.id)
    return live.exclude(expires_at__lte=now).update(expires_at=now)
