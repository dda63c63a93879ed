"""Who calls the API: an organization's key in ``Authorization: Bearer <key>``."""

from dataclasses import dataclass

from django.db.models import Q
from django.db.models.functions import Now
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from wedsync.weddings.models import ApiKey, Organization


@dataclass(frozen=True)
class Client:
    """The caller. Everything that it reads or writes is bounded by ``organization``."""

    organization: Organization
    api_key: ApiKey
    is_authenticated: bool = True


class ApiKeyAuthentication(BaseAuthentication):
    """DRF's authentication by API key."""

    def authenticate(self, request: Request) -> tuple[Client, ApiKey] | None:
        """The client, or ``None`` where no key was sent."""
        words = get_authorization_header(request).split()
        if not words or words[0].lower() != b"bearer":
            return None
        if len(words) != 2:
            raise AuthenticationFailed("Write Authorization: Bearer <key>.")
        digest = ApiKey.hash_of(words[1].decode("latin-1"))
        key = (
            ApiKey.objects.select_related("organization")
            .filter(Q(expires_at=None) | Q(expires_at__gt=Now()), key_hash=digest)
            .first()
        )
        if key is None:
            raise AuthenticationFailed("This API key is unknown or has expired.")
        return Client(key.organization, key), key

    def authenticate_header(self, request: Request) -> str:
        """What a 401 asks for."""
        return 'Bearer realm="wedsync"'


def client_of(request: Request) -> Client:
    """The authenticated caller of a request."""
    client = request.user
    assert isinstance(client, Client)  # noqa: S101  (permission_classes let nobody else in)
    return client
