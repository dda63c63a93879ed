"""Where the other side of a connection calls, and who it is."""

from django.conf import settings

from integrations.models import Connection
from webhooks.callbacks import PROVIDERS
from webhooks.callbacks.base import Provider
from webhooks.callbacks.receiver import PREFIX as CALLBACKS_PREFIX
from webhooks.receiver import PREFIX

_PROVIDERS: dict[str, Provider] = {provider.kind.value: provider for provider in PROVIDERS.values()}


def provider_of(connection: Connection) -> Provider | None:
    """The provider of messages whose callbacks come in here; ``None``: it is a vendor's door."""
    return _PROVIDERS.get(connection.system.kind)


def url_of(connection: Connection) -> str:
    """The URL that the other side calls. It holds the connection's id, which nobody else should know."""
    provider = provider_of(connection)
    path = f"{CALLBACKS_PREFIX}/{provider.slug}" if provider else PREFIX
    return f"{settings.PUBLIC_URL}{path}/{connection.pk}"
