"""Authenticates callers of the API by an organization's key in ``Authorization: Bearer <key>``."""

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Q
from django.db.models.functions import Now
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from wedsync.weddings.models import ApiKey, Organization

NOTE_USE_EVERY = timedelta(minutes=1)


@dataclass(frozen=True)
class Client:
    """The caller, which can read and write only rows of its ``organization``."""

    organization: Organization
    api_key: ApiKey
    is_authenticated: bool = True

    @property
    def author(self) -> str:
        """The author to show to people: the key's name."""
        return f"API key “{self.api_key.name}”"


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
            .annotate(use_is_noted=Q(last_used_at__gt=Now() - NOTE_USE_EVERY))
            .filter(Q(expires_at=None) | Q(expires_at__gt=Now()), key_hash=digest)
            .first()
        )
        if key is None:
            raise AuthenticationFailed("This API key is unknown or has expired.")
        if not key.use_is_noted:
            _note_use(key)
        return Client(key.organization, key), key

    def authenticate_header(self, request: Request) -> str:
        """The ``WWW-Authenticate`` header of a 401."""
        return 'Bearer realm="wedsync"'


def _note_use(key: ApiKey) -> None:
    """Record the key's use, at most once a minute, so that a busy key's row is not written by each request."""
    old = Q(last_used_at=None) | Q(last_used_at__lte=Now() - NOTE_USE_EVERY)
    ApiKey.objects.filter(old, id=key.id).update(last_used_at=Now())


def client_of(request: Request) -> Client:
    """The authenticated caller of a request."""
    client = request.user
    assert isinstance(client, Client)  # noqa: S101  (permission_classes let nobody else in)
    return client
