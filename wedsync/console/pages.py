"""What all pages of the console have in common: who may see them, and which organization they show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.contrib.admin.views.decorators import staff_member_required
from django.http import Http404, HttpRequest, HttpResponse

from wedsync.weddings.models import Organization
from wedsync.weddings.tenant_admin.access import Access, access

MOST_ORGANIZATIONS = 100
Page = Callable[..., HttpResponse]


@dataclass(frozen=True)
class View:
    """One organization as a user sees it. ``is_member``: the socket admits members, but not operators from outside."""

    organization: Organization
    organizations: list[Organization]
    is_member: bool


def staff_page(page: Page) -> Page:
    """A page for signed-in staff that is never cached. Its policy comes from wedsync/api/middleware/policies.py."""

    @wraps(page)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = page(request, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        return response

    return staff_member_required(guarded)


def view_of(request: HttpRequest) -> View | None:
    """The organization that the page shows: the requested one, else the user's own, else any that an operator may see.

    Raises:
        Http404: the user may not see the requested one.
    """
    found = access(request)
    organizations = list(found.organizations()[:MOST_ORGANIZATIONS])
    slug = request.GET.get("organization", "")
    chosen = found.organizations().filter(slug=slug).first() if slug else _default(found, organizations)
    if slug and chosen is None:
        raise Http404
    return View(chosen, organizations, chosen.pk in found.roles) if chosen else None


def _default(found: Access, organizations: list[Organization]) -> Organization | None:
    own = [organization for organization in organizations if organization.pk in found.roles]
    return next(iter([*own, *organizations]), None)
