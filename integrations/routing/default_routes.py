"""The routes that a new organization starts with."""

from dataclasses import dataclass
from typing import Any

from integrations.models import Route, System
from wedsync.live.event_types.catalogue import EMERGENCY
from wedsync.weddings.models import Contact, ContactChannel, Organization

_Role = Contact.Role
SUPPLIER_DASHBOARD = "supplier:dashboard:{supplierId}"
COUPLE_DASHBOARD = "couple:dashboard:{weddingId}"
FORM_RESPONSE = "form:response:{formId}"
MILESTONE = "journey:milestone:{coupleId}"
WEDDING_DAY = "urgent:wedding-day:{orgId}"
OPS_HEALTH = "ops:health:{orgId}"

_SUPPLIER_ROLES = [_Role.PHOTOGRAPHER, _Role.VENUE, _Role.CATERER, _Role.VENDOR]
_PERSONAL_NEWS = ["gallery.ready", "gallery.delivered", "payment.received", "payment.failed", "booking.cancelled"]


@dataclass(frozen=True)
class Teams:
    """The systems that the first routes lead to; a system that the organization does not have yet gets no route."""

    photography: System | None = None
    venue: System | None = None
    coordination: System | None = None
    planning: System | None = None
    catering: System | None = None
    project_management: System | None = None


def make_routes(organization: Organization, teams: Teams) -> list[Route]:
    """Make those routes that do not exist yet, judged by name; returns all."""
    made = []
    for route in [*_people_routes(), *_system_routes(teams), *_team_routes(teams), _alert_route(teams)]:
        name = route.pop("name")
        made.append(Route.objects.get_or_create(organization=organization, name=name, defaults=route)[0])
    return made


def _people(
    name: str, pattern: str, types: list[str], roles: list[Contact.Role], *channels: ContactChannel
) -> dict[str, Any]:
    return {
        "name": name,
        "channel_pattern": pattern,
        "event_types": types,
        "target": Route.Target.PEOPLE,
        "roles": [role.value for role in roles],
        "channels": [channel.value for channel in channels],
    }


def _people_routes() -> list[dict[str, Any]]:
    moved = ["timeline.updated", "wedding.date_changed"]
    capacity = ["venue.capacity_updated", "venue.capacity_exceeded"]
    emergency = [EMERGENCY]
    return [
        _people("Suppliers by WhatsApp", SUPPLIER_DASHBOARD, moved, _SUPPLIER_ROLES, ContactChannel.WHATSAPP),
        _people("Couple: capacity by WhatsApp", COUPLE_DASHBOARD, capacity, [_Role.COUPLE], ContactChannel.WHATSAPP),
        _people(
            "Couple: new date by email",
            COUPLE_DASHBOARD,
            ["wedding.date_changed"],
            [_Role.COUPLE],
            ContactChannel.EMAIL,
        ),
        _people("Couple: personal news", COUPLE_DASHBOARD, _PERSONAL_NEWS, [_Role.COUPLE]),
        _people(
            "Emergency: everyone", WEDDING_DAY, emergency, list(_Role), ContactChannel.WHATSAPP, ContactChannel.EMAIL
        ),
        _people("Forms by email", FORM_RESPONSE, [], [_Role.COORDINATOR], ContactChannel.EMAIL),
        _people("Milestones: timeline coordination", MILESTONE, [], [_Role.COORDINATOR], ContactChannel.EMAIL),
        _people("Milestones: the couple", MILESTONE, [], [_Role.COUPLE]),
    ]


def _system(name: str, pattern: str, system: System | None, *, active: bool = True) -> list[dict[str, Any]]:
    if system is None:
        return []
    target = Route.Target.SYSTEM
    return [{"name": name, "channel_pattern": pattern, "target": target, "system": system, "active": active}]


def _system_routes(teams: Teams) -> list[dict[str, Any]]:
    return [
        *_system("Photography CRM", SUPPLIER_DASHBOARD, teams.photography),
        *_system("Venue system", SUPPLIER_DASHBOARD, teams.venue),
        *_system("Milestones: project management", MILESTONE, teams.project_management, active=False),
    ]


def _team(name: str, pattern: str, types: list[str], team: System | None) -> list[dict[str, Any]]:
    if team is None:
        return []
    return [{**_people(name, pattern, types, [], ContactChannel.SLACK), "system": team}]


def _team_routes(teams: Teams) -> list[dict[str, Any]]:
    return [
        *_team("Emergency: coordination team", WEDDING_DAY, [EMERGENCY], teams.coordination),
        *_team("Forms: planning team", FORM_RESPONSE, [], teams.planning),
        *_team("New date: planning team", SUPPLIER_DASHBOARD, ["wedding.date_changed"], teams.planning),
        *_team("Capacity: catering team", SUPPLIER_DASHBOARD, ["venue.capacity_updated"], teams.catering),
    ]


def _alert_route(teams: Teams) -> dict[str, Any]:
    """To the coordination team on Slack, if there is one, and to owners and support by email."""
    types = ["ops.alert_raised", "ops.alert_resolved"]
    route = _people(
        "Alerts: coordination team and staff", OPS_HEALTH, types, [], ContactChannel.SLACK, ContactChannel.EMAIL
    )
    return {**route, "system": teams.coordination}
