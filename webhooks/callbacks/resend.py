"""Resend: one event of an email in each request, signed as Svix does.

https://resend.com/docs/dashboard/webhooks/event-types
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from integrations.models import System
from integrations.signatures.standard_webhooks import SVIX
from webhooks.callbacks import reading
from webhooks.callbacks.base import Notice, Provider, Unreadable
from webhooks.models import ProviderNotice

_INBOUND = "email.received"


class Resend(Provider):
    """``svix-id`` stays the same when Resend tries again, and is signed."""

    slug = "resend"
    label = "Resend"
    kind = System.Kind.EMAIL
    signature = SVIX

    def read(self, headers: Mapping[str, Sequence[str]], body: bytes, now: datetime) -> list[Notice]:
        """See :class:`Provider`."""
        event = reading.json_object(body)
        name = reading.text(event, "type")
        if not name:
            raise Unreadable("the event has no type")
        notice = Notice(
            dedup_id=reading.dedup_id(headers["svix-id"][0]),
            kind=_kind(name),
            name=name[: reading.LONGEST_NAME],
            provider_id=reading.text(reading.part(event, "data"), "email_id")[: reading.LONGEST_ID],
            occurred_at=reading.iso_time(event.get("created_at"), now),
            data=event,
        )
        return [notice]


def _kind(name: str) -> ProviderNotice.Kind:
    if name == _INBOUND:
        return ProviderNotice.Kind.MESSAGE
    return ProviderNotice.Kind.STATUS if name.startswith("email.") else ProviderNotice.Kind.OTHER
