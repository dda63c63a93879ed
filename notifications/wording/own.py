"""An organization's own templates, which stand before the shipped ones."""

from collections.abc import Mapping
from uuid import UUID

from notifications.models import MessageTemplate


def templates(organization_id: UUID, name: str) -> Mapping[tuple[str, str], str]:
    """Those in force for an event type: by locale and channel; the channel is empty where it is for every one."""
    rows = MessageTemplate.objects.filter(organization_id=organization_id, event_type=name, active=True)
    return {(locale, channel): text for locale, channel, text in rows.values_list("locale", "channel", "text")}
