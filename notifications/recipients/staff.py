"""Staff as recipients of emergencies: the Slack channels that emergencies go to, the owners and support."""

from collections.abc import Sequence
from uuid import UUID

from integrations.health.alerts import OPS_ROUTES
from integrations.models import Route, System
from integrations.references import suppliers
from integrations.registry.targets import PlannedDelivery
from integrations.rules import event_filters
from notifications.recipients import resolving
from wedsync.live.channels import matches, names_for
from wedsync.live.event_types.catalogue import EMERGENCY
from wedsync.weddings.models import Wedding


def everyone(organization_id: UUID, wedding: Wedding | None = None) -> list[PlannedDelivery]:
    """All deliveries to staff: to the Slack channels of emergencies, and an email to each owner and member of support.

    Where no route leads emergencies to Slack, the Slack channels for alerts are used, and where there are none, all of
    the organization's. Where no owner or member of support has a usable address, the planners are told as well.
    """
    senders = resolving.sending_systems(organization_id)
    teams = [resolving.to_team(team) for team in _teams(organization_id, wedding)]
    people = list(resolving.to_staff(organization_id, senders))
    if not any(not planned.skipped for planned in people):
        people = [*people, *resolving.to_planners(organization_id, senders)]
    return [*teams, *people]


def _teams(organization_id: UUID, wedding: Wedding | None) -> list[System]:
    slack = Route.objects.filter(organization_id=organization_id, active=True, system__kind=System.Kind.SLACK)
    usable = slack.exclude(system__state=System.Status.DISABLED).select_related("system").order_by("id")
    routes = [(route, route.system) for route in usable if route.system]
    names = names_for(
        EMERGENCY,
        organization_id=organization_id,
        wedding_id=wedding.id if wedding else None,
        supplier_ids=suppliers.of_weddings([wedding.id])[wedding.id] if wedding else (),
    )
    of_emergencies = {team.id: team for route, team in routes if _takes(route, names)}
    if of_emergencies:
        return list(of_emergencies.values())
    of_alerts = {team.id: team for route, team in routes if route.channel_pattern.startswith(OPS_ROUTES)}
    if of_alerts:
        return list(of_alerts.values())
    every = System.objects.filter(organization_id=organization_id, kind=System.Kind.SLACK)
    return list(every.exclude(state=System.Status.DISABLED).order_by("id"))


def _takes(route: Route, names: Sequence[str]) -> bool:
    return event_filters.accepts(route.event_types, EMERGENCY) and any(
        matches(route.channel_pattern, name) for name in names
    )
