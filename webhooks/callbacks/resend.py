"""Resend: one event of an email per request, signed as by Svix.

https://resend.com/docs/dashboard/webhooks/event-types
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from email.utils import parseaddr
from typing import Any

from integrations.models import System
from integrations.signatures.standard_webhooks import StandardWebhooks
from notifications.feedback.notices import AddressMark, Effect, MailReceived, ProviderStatus
from notifications.models import Message
from webhooks.callbacks import reading
from webhooks.callbacks.base import Notice, Provider, Unreadable
from webhooks.models import ProviderNotice

# Resend sends through Svix: https://docs.svix.com/receiving/verifying-payloads/how-manual
SVIX = StandardWebhooks("svix-")
_INBOUND = "email.received"
_STATUSES = {
    "email.sent": Message.Status.SENT,
    "email.delivered": Message.Status.DELIVERED,
    "email.opened": Message.Status.READ,
    "email.clicked": Message.Status.READ,
    "email.failed": Message.Status.FAILED,
    "email.suppressed": Message.Status.FAILED,
}


class Resend(Provider):
    """``svix-id`` stays the same when Resend retries, and is signed."""

    slug = "resend"
    label = "Resend"
    kind = System.Kind.EMAIL
    signature = SVIX
    secret = "the webhook's secret, whsec_…"  # noqa: S105  (where it is found)

    def effect_of(self, notice: ProviderNotice) -> Effect | None:
        """See :class:`Provider`."""
        if notice.kind == ProviderNotice.Kind.STATUS:
            return _status_of(notice)
        if notice.kind != ProviderNotice.Kind.MESSAGE:
            return None
        sender = reading.text(reading.part(notice.data, "data"), "from")
        return MailReceived(parseaddr(sender)[1], reading.when(notice))

    def read(self, headers: Mapping[str, Sequence[str]], body: bytes, now: datetime, url: str = "") -> list[Notice]:
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


def _status_of(notice: ProviderNotice) -> ProviderStatus | None:
    """The status in an email's event, if it means anything to us."""
    at, mail = reading.when(notice), notice.provider_id
    data = reading.part(notice.data, "data")
    match notice.name:
        case "email.bounced":
            return _bounce(at, mail, reading.part(data, "bounce"))
        case "email.complained":
            return ProviderStatus(at, mail, mark=AddressMark.COMPLAINED)
        case "email.delivery_delayed":
            return ProviderStatus(at, mail, remark="delivery is delayed and will be retried")
        case "email.suppressed":
            suppressed = reading.part(data, "suppressed")
            mark = (
                AddressMark.COMPLAINED
                if reading.text(suppressed, "reason") == "previous_complaint"
                else AddressMark.BOUNCED
            )
            return ProviderStatus(
                at, mail, status=Message.Status.FAILED, failure=_why("suppressed", suppressed, "message"), mark=mark
            )
        case "email.failed":
            return ProviderStatus(
                at, mail, status=Message.Status.FAILED, failure=_why("failed", reading.part(data, "failed"), "reason")
            )
        case _:
            status = _STATUSES.get(notice.name)
            return ProviderStatus(at, mail, status=status) if status else None


def _bounce(at: datetime, mail: str, bounce: dict[str, Any]) -> ProviderStatus:
    """Only a permanent bounce ends it; after others this email may still arrive, and so may the next one."""
    why = _why(" ".join(filter(None, ("bounced", reading.text(bounce, "subType")))), bounce, "message")
    if reading.text(bounce, "type") == "Permanent":
        return ProviderStatus(at, mail, status=Message.Status.FAILED, failure=why, mark=AddressMark.BOUNCED)
    return ProviderStatus(at, mail, remark=f"{why} (temporary)")


def _why(what: str, parent: dict[str, Any], name: str) -> str:
    return ": ".join(filter(None, (what, reading.text(parent, name))))
