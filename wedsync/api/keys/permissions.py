"""Who may in: a key with the scope of the endpoint. DRF's views import this, so it imports none of them."""

from typing import Any

from rest_framework.exceptions import APIException
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from wedsync.api.keys.authentication import client_of
from wedsync.weddings.models import ApiScope


class ScopeMissing(APIException):
    """The key lacks what this endpoint needs."""

    status_code = 403
    slug = "scope-missing"

    def __init__(self, scope: ApiScope) -> None:
        super().__init__(f"This key lacks the scope {scope.value}. Staff can add it in the admin, under API keys.")
        self.extra = {"scope": scope.value}


class HasScope(BasePermission):
    """Lets a key in that has the view's scope; a view that names none lets nobody in."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """See DRF.

        Raises:
            ScopeMissing: the key lacks it.
        """
        if not hasattr(view, "scope_for"):
            return False
        scope: ApiScope = view.scope_for(str(request.method))
        if scope.value not in client_of(request).api_key.scopes:
            raise ScopeMissing(scope)
        return True
