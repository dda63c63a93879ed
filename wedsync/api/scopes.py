"""Endpoints that say which scope a key needs."""

from typing import ClassVar

from rest_framework.views import APIView

from wedsync.weddings.models import ApiScope

READING = {"GET", "HEAD", "OPTIONS"}


class Scoped(APIView):
    """Names the scopes of its endpoints; :class:`wedsync.api.permissions.HasScope` asks for them."""

    read_scope: ClassVar[ApiScope]
    write_scope: ClassVar[ApiScope]

    def scope_for(self, method: str) -> ApiScope:
        """The scope that a request of this method needs here."""
        return self.read_scope if method in READING else self.write_scope
