"""Admits keys that have the endpoint's scope. DRF's views import this, so it imports none of them."""

from typing import Any

from rest_framework.exceptions import APIException
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from wedsync.api.keys.authentication import client_of
from wedsync.weddings.models import ApiScope


class ScopeMissing(APIException):
    """The key lacks the scope that this endpoint requires."""

    status_code = 403
    slug = "scope-missing"

    def __init__(self, scope: ApiScope) -> None:
        super().__init__(f"This key lacks the scope {scope.value}. Staff can add it in the admin, under API keys.")
        self.extra = {"scope": scope.value}


class HasScope(BasePermission):
    """Admits a key that has the view's scope; a view that names no scope admits nobody."""

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
