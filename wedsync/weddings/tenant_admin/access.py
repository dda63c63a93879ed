"""Who may see and change what: a member of staff's organizations, and the role in each.

| in an organization, a member who is | sees | may change |
|---|---|---|
| planner | everything | weddings, contacts, forms, addresses |
| support | everything | systems, connections, routes, external references |
| owner | everything | all of these, and the organization, its memberships and API keys |

Superusers are operators: they see and change everything in every organization. Nobody changes records of the past
(receipts, events, deliveries, attempts, messages). Staff without a membership see nothing. Django's own model
permissions are not used, since they know no organizations.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from wedsync.weddings.models import Membership, Organization

Role = Membership.Role
Row = TypeVar("Row", bound=Model)

BY_PLANNERS = frozenset({Role.PLANNER, Role.OWNER})
BY_SUPPORT = frozenset({Role.SUPPORT, Role.OWNER})
BY_OWNERS = frozenset({Role.OWNER})
BY_NOBODY: frozenset[Role] = frozenset()


@dataclass(frozen=True)
class Access:
    """What one user may reach. ``everything``: an operator."""

    everything: bool
    roles: Mapping[UUID, Role]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to see at all."""
        return not self.everything and not self.roles

    def sees(self, organization_id: UUID | None) -> bool:
        """Whether rows of the organization are visible; ``None``: a row that belongs to no organization."""
        return self.everything or (organization_id is not None and organization_id in self.roles)

    def changes(self, organization_id: UUID | None, editors: frozenset[Role]) -> bool:
        """Whether the user has one of the roles there."""
        return self.everything or (organization_id is not None and self.roles.get(organization_id) in editors)

    def changes_somewhere(self, editors: frozenset[Role]) -> bool:
        """Whether the user has one of the roles anywhere."""
        return self.everything or any(role in editors for role in self.roles.values())

    def bound(self, rows: QuerySet[Row], path: str) -> QuerySet[Row]:
        """The rows that are visible. ``path``: the lookup from a row to its organization, ``pk`` for itself."""
        return rows if self.everything else rows.filter(**{f"{path}__in": list(self.roles)})

    def organizations(self, editors: frozenset[Role] | None = None) -> QuerySet[Organization]:
        """The visible organizations; with ``editors`` those where the user has one of the roles."""
        every = Organization.objects.order_by("name")
        if self.everything:
            return every
        return every.filter(pk__in=[key for key, role in self.roles.items() if editors is None or role in editors])


NOTHING = Access(everything=False, roles={})


def access_of(user: User | AnonymousUser) -> Access:
    """What a user may reach, read from the database."""
    if not user.is_active or not user.is_staff:
        return NOTHING
    roles = Membership.objects.filter(user_id=user.pk).values_list("organization_id", "role")
    return Access(everything=user.is_superuser, roles={key: Role(role) for key, role in roles})


def access(request: HttpRequest) -> Access:
    """What a request's user may reach, read once per request."""
    known: Access | None = getattr(request, "_access", None)
    if known is None:
        known = access_of(request.user)
        request._access = known  # type: ignore[attr-defined]  # noqa: SLF001
    return known
