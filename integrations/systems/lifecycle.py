"""Pausing, disabling and resuming systems and connections; a system's answers may also stop it."""

from functools import partial

import structlog
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from integrations.deliveries.state_changes import change_unlocked
from integrations.health.alerts import raise_alert
from integrations.models import Connection, Delivery, System
from integrations.models.health import Cause
from integrations.states import WAITING, Reason, State
from wedsync.database.batches import update_all
from wedsync.live.fan_out import hints
from wedsync.live.fan_out.hints import RouteHint
from wedsync.live.models import ChannelEvent
from wedsync.queues import Priority

HELD_BY_PAUSE = F("expires_at")  # until then, unless the system is resumed
MOST_HINTED = 200  # urgent events at a time
log = structlog.get_logger(__name__)


def pause_system(system: System) -> None:
    """Hold deliveries to the system until :func:`resume_system`."""
    System.objects.filter(id=system.id).update(state=System.Status.PAUSED, state_reason=Reason.BY_STAFF)


def disable_system(system: System) -> None:
    """Disable the system: deliveries to it end as dead, those that already wait as well."""
    System.objects.filter(id=system.id).update(state=System.Status.DISABLED, state_reason=Reason.BY_STAFF)
    _end_waiting(system)


def _end_waiting(system: System) -> None:
    """End what waits for the system; a delivery that a worker is about to claim ends when it is claimed."""
    waiting = Delivery.objects.filter(system_id=system.id, state__in=list(WAITING))
    change_unlocked(waiting, State.DEAD, Reason.SYSTEM_DISABLED)


_EXPLANATIONS = {
    Reason.CREDENTIALS_REFUSED: "it refuses our credentials. Enter new ones and resume it; its deliveries are held.",
    Reason.TARGET_GONE: "it says that the target is gone for good. Deliveries to it are dead.",
}


@transaction.atomic
def stop_system(system: System, state: System.Status, reason: Reason) -> None:
    """Pause or disable a system because of its answer, and alert staff; one that is already stopped keeps its reason.

    ``system``: as it was when called. If staff have entered other credentials since, the answer is ignored.
    """
    as_called = System.objects.filter(id=system.id, sealed_credentials=system.sealed_credentials)
    changed = as_called.filter(state=System.Status.ACTIVE).update(state=state, state_reason=reason)
    if changed:
        if state == System.Status.DISABLED:
            transaction.on_commit(partial(_end_waiting, system))  # in separate commits: there may be many
        log.error("system_stopped", system=str(system.id), state=state.value, reason=reason)
        because = _EXPLANATIONS.get(reason, reason.replace("_", " ") + ".")
        raise_alert(
            system.organization_id, Cause.SYSTEM_STOPPED, f"“{system.name}” is {state.value}: {because}", system=system
        )


def resume_system(system: System) -> int:
    """Send to a paused or disabled system again; returns how many held deliveries are due now."""
    System.objects.filter(id=system.id).update(state=System.Status.ACTIVE, state_reason="")
    held = Delivery.objects.filter(
        system_id=system.id, state=State.HELD, state_reason=Reason.SYSTEM_PAUSED, expires_at__gt=Now()
    )
    return update_all(held.filter(next_attempt_at__gt=Now()), next_attempt_at=Now())


def pause_connection(connection: Connection) -> None:
    """Accept and store incoming events, but hold them until :func:`resume_connection`."""
    Connection.objects.filter(id=connection.id).update(state=Connection.Status.PAUSED)


def disable_connection(connection: Connection) -> None:
    """Answer requests with 404 from now on."""
    Connection.objects.filter(id=connection.id).update(state=Connection.Status.DISABLED)


def resume_connection(connection: Connection) -> int:
    """Route incoming events again; returns how many held events are released, which the sweep hints."""
    Connection.objects.filter(id=connection.id).update(state=Connection.Status.ACTIVE)
    return let_held_go(connection)


def let_held_go(connection: Connection) -> int:
    """Release the events that a connection holds, while it is active, urgent ones first; returns how many.

    Each batch checks the state: if staff pause or disable the connection meanwhile, the rest stays held. Urgent events
    are hinted to workers, and the sweep finds the rest.
    """
    active = Connection.objects.filter(id=connection.id, state=Connection.Status.ACTIVE)
    routing = ChannelEvent.Routing
    held = ChannelEvent.objects.filter(source_connection_id__in=active.values("id"), routing=routing.HELD)
    urgent = held.filter(priority=Priority.URGENT)
    told = [RouteHint(str(each), Priority.URGENT) for each in urgent.values_list("id", flat=True)[:MOST_HINTED]]
    let_go = update_all(urgent, routing=routing.PENDING)
    transaction.on_commit(lambda: hints.committed(told, []))
    return let_go + update_all(held, routing=routing.PENDING)
