"""The URL that the other side of a connection calls, and which provider it is."""

from django.conf import settings

from integrations.models import Connection, System
from integrations.vendors import VENDORS
from webhooks.callbacks import BY_KIND
from webhooks.callbacks.base import Provider
from webhooks.callbacks.receiver import PREFIX as CALLBACKS_PREFIX
from webhooks.vendor_events.receiver import PREFIX
from wedsync.env import ConfigurationError


def provider_of(connection: Connection) -> Provider | None:
    """The provider whose callbacks arrive on this connection; ``None``: it is a vendor's connection."""
    return BY_KIND.get(connection.system.kind)


def refusal(system: System) -> str:
    """Why a system cannot have a connection, as a sentence; empty: it sends us events or callbacks."""
    if system.kind not in VENDORS and system.kind not in BY_KIND:
        return f"{system.get_kind_display()} sends us nothing, so a connection would never be called."
    if system.kind == System.Kind.EMAIL and _mail_provider(system) != BY_KIND[system.kind].slug:
        return "Only Resend sends callbacks; this system uses another email provider."
    return ""


def _mail_provider(system: System) -> str:
    resend = BY_KIND[System.Kind.EMAIL].slug
    try:
        return (system.credentials.get("provider") or resend).strip().lower()
    except ConfigurationError:
        return resend


def url_of(connection: Connection) -> str:
    """The URL that the other side calls. It contains the connection's id, which nobody else should know."""
    provider = provider_of(connection)
    path = f"{CALLBACKS_PREFIX}/{provider.slug}" if provider else PREFIX
    return f"{settings.PUBLIC_URL}{path}/{connection.pk}"


def callback_url_of(system: System) -> str | None:
    """The URL for a provider's callbacks about a system's messages; ``None``: the system has no open connection."""
    if system.kind not in BY_KIND:
        return None
    usable = Connection.objects.filter(system=system).exclude(state=Connection.Status.DISABLED)
    newest = usable.select_related("system").order_by("-created_at", "-id").first()
    return url_of(newest) if newest else None
