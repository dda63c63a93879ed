"""Endpoints that declare which scope a key needs."""

from typing import Any, ClassVar

from rest_framework.request import Request, is_form_media_type
from rest_framework.views import APIView

from wedsync.api.keys import limits
from wedsync.api.keys.authentication import Client
from wedsync.api.keys.limits import Share
from wedsync.api.requests.bodies import refuse_unknown
from wedsync.api.requests.filtering import check_names
from wedsync.weddings.models import ApiScope

READING = {"GET", "HEAD", "OPTIONS"}


def _given(request: Request) -> Any:
    """The body of a request that takes none: JSON, or a form's fields, since browsers send even an empty form.

    Raises:
        UnsupportedMediaType: a body of another kind.
    """
    form = request._request  # noqa: SLF001  (DRF has no parser for forms here, on purpose)
    if not is_form_media_type(request.content_type):
        return request.data
    return dict.fromkeys((*form.POST, *form.FILES))


class Scoped(APIView):
    """Names the scopes of its endpoints; :class:`wedsync.api.keys.permissions.HasScope` requires them.

    No query parameter or body is ignored: a list's parameters are validated by its filters, a body by a
    :class:`wedsync.api.requests.bodies.Body`; endpoints without either refuse both here. ``bodiless``: actions of a
    view set that take no body. Each request counts against its key (:mod:`wedsync.api.keys.limits`), and every answer
    says what is left.
    """

    read_scope: ClassVar[ApiScope]
    write_scope: ClassVar[ApiScope]
    bodiless: ClassVar[frozenset[str]] = frozenset()
    _allowance: limits.Allowance | None = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """After checking the caller, refuse parameters and bodies that would be ignored."""
        super().initial(request, *args, **kwargs)
        action = getattr(self, "action", None)
        if action != "list":
            check_names(None, request.query_params, also=())
        if request.method == "DELETE" or action in self.bodiless:
            refuse_unknown(_given(request), ())

    def perform_authentication(self, request: Request) -> None:
        """Identify the caller, and count the request against the key's share.

        Raises:
            TooMany: the key has used up its share.
        """
        super().perform_authentication(request)
        if not isinstance(request.user, Client):
            return
        share = self.share_for(request)
        self._allowance = limits.count(share, request.user.api_key.id)
        if not self._allowance.passes:
            raise limits.TooMany(share, self._allowance)

    def share_for(self, request: Request) -> Share:
        """The share that the request counts against."""
        return Share.CALLS

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Say what the key has left."""
        final = super().finalize_response(request, response, *args, **kwargs)
        for name, value in self._allowance.headers.items() if self._allowance else ():
            final[name] = value
        return final

    def check_permissions(self, request: Request) -> None:
        """Refuse a method that this endpoint does not have before asking for a scope."""
        if not self._has(str(request.method)):
            self.http_method_not_allowed(request)
        super().check_permissions(request)

    def _has(self, method: str) -> bool:
        name = method.lower()
        return name in self.http_method_names and hasattr(self, name)

    def scope_for(self, method: str) -> ApiScope:
        """The scope that a request of this method needs here."""
        return self.read_scope if method in READING else self.write_scope
