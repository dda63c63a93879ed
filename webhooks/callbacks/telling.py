"""What a stored notice says in our own words, whichever provider said it. No I/O.

https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/payload-examples
https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes
https://resend.com/docs/dashboard/webhooks/event-types
"""

from collections.abc import Iterator
from datetime import datetime
from email.utils import parseaddr
from typing import Any

from integrations.errors import DeliveryError, RecipientStopped, Undeliverable, WindowClosed
from notifications.channels.whatsapp.errors import error_for
from notifications.feedback.replies import Reply
from notifications.feedback.status import AddressMark, ProviderStatus
from notifications.models import Message
from webhooks.callbacks.reading import digits, part, text
from webhooks.callbacks.whatsapp import SENDER
from webhooks.models import OUR_ID, ProviderNotice
from wedsync.ids import as_id

_Status = Message.Status
_WHATSAPP = {
    "sent": _Status.SENT,
    "delivered": _Status.DELIVERED,
    "read": _Status.READ,
    "played": _Status.READ,  # a voice message, which ours never are
    "failed": _Status.FAILED,
}
_MARKS: dict[type[DeliveryError], AddressMark] = {
    Undeliverable: AddressMark.BOUNCED,
    RecipientStopped: AddressMark.OPTED_OUT,
    WindowClosed: AddressMark.WINDOW_CLOSED,
}
_RESEND = {
    "email.sent": _Status.SENT,
    "email.delivered": _Status.DELIVERED,
    "email.opened": _Status.READ,
    "email.clicked": _Status.READ,
    "email.failed": _Status.FAILED,
    "email.suppressed": _Status.FAILED,
}
_NOT_BY_A_PERSON = {"system", "request_welcome"}  # WhatsApp's own, such as of a number that changed


def of_whatsapp(notice: ProviderNotice) -> ProviderStatus | None:
    """A status of a WhatsApp message; ``None``: one that says nothing to us."""
    status = _WHATSAPP.get(notice.name)
    if status is None:
        return None
    code, why = _whatsapp_error(notice.data) if status == _Status.FAILED else (None, "")
    error = error_for(code) if code is not None else None
    return ProviderStatus(
        at=when(notice),
        provider_id=notice.provider_id,
        delivery_id=as_id(notice.data.get(OUR_ID)),
        status=status,
        failure=why,
        mark=_MARKS.get(type(error)) if error else None,
        error=error,
        known_as=tuple(filter(None, (digits(notice.data, "recipient_id"), text(notice.data, "recipient_user_id")))),
    )


def of_resend(notice: ProviderNotice) -> ProviderStatus | None:
    """An event of a mail; ``None``: one that says nothing to us."""
    at, mail = when(notice), notice.provider_id
    data = part(notice.data, "data")
    match notice.name:
        case "email.bounced":
            return _bounce(at, mail, part(data, "bounce"))
        case "email.complained":
            return ProviderStatus(at, mail, mark=AddressMark.COMPLAINED)
        case "email.delivery_delayed":
            return ProviderStatus(at, mail, remark="delivery is delayed, and is tried further")
        case "email.suppressed":
            suppressed = part(data, "suppressed")
            mark = AddressMark.COMPLAINED if text(suppressed, "reason") == "previous_complaint" else AddressMark.BOUNCED
            return ProviderStatus(
                at, mail, status=_Status.FAILED, failure=_why("suppressed", suppressed, "message"), mark=mark
            )
        case "email.failed":
            return ProviderStatus(
                at, mail, status=_Status.FAILED, failure=_why("failed", part(data, "failed"), "reason")
            )
        case _:
            status = _RESEND.get(notice.name)
            return ProviderStatus(at, mail, status=status) if status else None


def reply_of(notice: ProviderNotice) -> Reply | None:
    """What a person sent by WhatsApp; ``None``: a person sent nothing.

    A person with a user name has no ``from``; then Meta's id of the person, the answered message or our button tells.
    """
    data = notice.data
    if notice.name in _NOT_BY_A_PERSON:
        return None
    sender = part(data, SENDER)
    button, chosen = part(data, "button"), part(part(data, "interactive"), "button_reply")
    reply = Reply(
        sender=digits(data, "from") or text(data, "from") or text(sender, "wa_id"),
        at=when(notice),
        text=text(part(data, "text"), "body") or text(button, "text") or text(chosen, "title"),
        payload=text(button, "payload") or text(chosen, "id"),
        answers=text(part(data, "context"), "id"),
        user_id=text(data, "from_user_id") or text(sender, "user_id"),
    )
    return reply if reply.sender or reply.user_id or reply.payload or reply.answers else None


def sender_of_mail(notice: ProviderNotice) -> str:
    """The address that a received email came from; empty where it names none."""
    return parseaddr(text(part(notice.data, "data"), "from"))[1]


def slack_presses(notice: ProviderNotice, action: str) -> Iterator[tuple[str, str]]:
    """The value of each of our buttons that was pressed, and who pressed it."""
    user = part(notice.data, "user")
    by = next((name for key in ("name", "username", "id") if (name := text(user, key))), "somebody in Slack")
    actions = notice.data.get("actions")
    for pressed in actions if notice.name == "block_actions" and isinstance(actions, list) else ():
        if isinstance(pressed, dict) and pressed.get("action_id") == action:
            yield text(pressed, "value"), by


def when(notice: ProviderNotice) -> datetime:
    """The provider's time, and never later than ours: a clock that is ahead would make what follows look old."""
    return min(notice.occurred_at, notice.received_at)


def _bounce(at: datetime, mail: str, bounce: dict[str, Any]) -> ProviderStatus:
    """Only a permanent one ends it; after others the mail may still arrive, and the next one may."""
    why = _why(" ".join(filter(None, ("bounced", text(bounce, "subType")))), bounce, "message")
    if text(bounce, "type") == "Permanent":
        return ProviderStatus(at, mail, status=_Status.FAILED, failure=why, mark=AddressMark.BOUNCED)
    return ProviderStatus(at, mail, remark=f"{why} (not for good)")


def _why(what: str, parent: dict[str, Any], name: str) -> str:
    return ": ".join(filter(None, (what, text(parent, name))))


def _whatsapp_error(data: dict[str, Any]) -> tuple[int | None, str]:
    errors = data.get("errors")
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    try:
        code = int(first["code"])
    except (KeyError, TypeError, ValueError):
        code = None
    details = text(part(first, "error_data"), "details") or text(first, "title")
    return code, ": ".join(
        filter(None, (f"WhatsApp {code}" if code is not None else "WhatsApp gives no reason", details))
    )
