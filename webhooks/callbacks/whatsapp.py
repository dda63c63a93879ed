"""WhatsApp Business Cloud API: statuses of our messages and people's messages, many in one request.

https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/components
https://developers.facebook.com/docs/graph-api/webhooks/getting-started (the handshake)
https://developers.facebook.com/documentation/business-messaging/whatsapp/business-scoped-user-ids (people without from)
"""

import hmac
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from integrations.models import System
from integrations.signatures.schemes import PrefixedHex
from notifications.channels.whatsapp.errors import error_for
from notifications.feedback.notices import Effect, ProviderStatus, Reply, mark_for
from notifications.models import Message
from webhooks.callbacks import reading
from webhooks.callbacks.base import Notice, Provider, Unreadable
from webhooks.models import OUR_ID, ProviderNotice
from wedsync.ids import as_id
from wedsync.weddings.models import ContactChannel

# https://developers.facebook.com/docs/graph-api/webhooks/getting-started#event-notifications
META = PrefixedHex("X-Hub-Signature-256", "sha256=")
_Kind = ProviderNotice.Kind
_STATUSES = {
    "sent": Message.Status.SENT,
    "delivered": Message.Status.DELIVERED,
    "read": Message.Status.READ,
    "played": Message.Status.READ,  # for voice messages, which we never send
    "failed": Message.Status.FAILED,
}
_NOT_BY_A_PERSON = {"system", "request_welcome"}  # WhatsApp's own messages, such as about a changed number
_METADATA = ("display_phone_number", "phone_number_id")
_LONGEST_METADATA = 32
SENDER = "sender"  # beside a message: who wrote it, by number (``wa_id``) and by Meta's id (``user_id``)
_CHALLENGE = re.compile(r"[A-Za-z0-9_.~+/=-]{1,200}", re.ASCII)


class WhatsApp(Provider):
    """Meta signs with the app's secret. When a callback URL is entered there, Meta first checks the verify token."""

    slug = "whatsapp"
    label = "WhatsApp"
    kind = System.Kind.WHATSAPP
    signature = META
    secret = "the app secret"  # noqa: S105  (where it is found)
    methods = ("GET", "POST")

    def challenge(self, query: Mapping[str, Sequence[str]], tokens: Sequence[str]) -> str | None:
        """See :class:`Provider`. The text comes from the URL, so only safe characters are sent back."""
        mode, token, challenge = (_only(query, f"hub.{name}") for name in ("mode", "verify_token", "challenge"))
        known = [hmac.compare_digest(each.encode(), token.encode()) for each in tokens]
        if mode != "subscribe" or not any(known) or not _CHALLENGE.fullmatch(challenge):
            return None
        return challenge

    def effect_of(self, notice: ProviderNotice) -> Effect | None:
        """See :class:`Provider`."""
        if notice.kind == _Kind.STATUS:
            return _status_of(notice)
        return _reply_of(notice) if notice.kind == _Kind.MESSAGE else None

    def read(self, headers: Mapping[str, Sequence[str]], body: bytes, now: datetime, url: str = "") -> list[Notice]:
        """See :class:`Provider`. Each update is judged alone: an odd one is kept and does not drop the others."""
        entries = reading.json_object(body).get("entry")
        if not isinstance(entries, list):
            raise Unreadable("entry is not a list")
        notices = [notice for entry in entries for notice in _of_entry(entry, now)]
        if not notices:
            raise Unreadable("the body contains no change")
        return notices


def _only(query: Mapping[str, Sequence[str]], name: str) -> str:
    values = query.get(name, ())
    return values[0] if len(values) == 1 else ""


def _of_entry(entry: object, now: datetime) -> Iterator[Notice]:
    changes = entry.get("changes") if isinstance(entry, dict) else None
    if not isinstance(entry, dict) or not isinstance(changes, list):
        yield from [_other("entry", entry, {}, now)] if entry else []
        return
    for change in changes:
        if isinstance(change, dict):
            yield from _of_change(entry, change, now)
        else:
            yield _other("change", change, {"entry": entry.get("id"), "time": entry.get("time")}, now)


def _of_change(entry: dict[str, Any], change: dict[str, Any], now: datetime) -> list[Notice]:
    field = reading.text(change, "field")
    notices = list(_of_messages(reading.part(change, "value"), now)) if field == "messages" else []
    return notices or [_other(field or "change", change, {"entry": entry.get("id"), "time": entry.get("time")}, now)]


def _of_messages(value: dict[str, Any], now: datetime) -> Iterator[Notice]:
    # Only known fields, and short: they are repeated beside each of hundreds of statuses.
    metadata = {name: reading.text(reading.part(value, "metadata"), name)[:_LONGEST_METADATA] for name in _METADATA}
    contacts = [contact for contact in _list(value, "contacts") if isinstance(contact, dict)]
    for item in _list(value, "statuses"):
        notice = _status(item, metadata, now) if isinstance(item, dict) else None
        yield notice or _other("statuses", item, {"metadata": metadata}, now)
    for item in _list(value, "messages"):
        notice = _message(item, contacts, metadata, now) if isinstance(item, dict) else None
        yield notice or _other("messages", item, {"metadata": metadata}, now)


def _list(value: dict[str, Any], name: str) -> list[Any]:
    found = value.get(name)
    return found if isinstance(found, list) else []


def _status(item: dict[str, Any], metadata: dict[str, str], now: datetime) -> Notice | None:
    wamid, status = reading.text(item, "id"), reading.text(item, "status")
    if not wamid or not status:
        return None
    identity = f"status:{wamid}:{status}:{item.get('timestamp')}"
    return _notice(identity, _Kind.STATUS, status, {**item, "metadata": metadata}, now)


def _message(
    item: dict[str, Any], contacts: Sequence[dict[str, Any]], metadata: dict[str, str], now: datetime
) -> Notice | None:
    wamid = reading.text(item, "id")
    if not wamid:
        return None
    data = {**item, "metadata": metadata}
    if sender := _sender(item, contacts):
        data[SENDER] = sender
    return _notice(f"message:{wamid}", _Kind.MESSAGE, reading.text(item, "type"), data, now)


def _sender(item: dict[str, Any], contacts: Sequence[dict[str, Any]]) -> dict[str, str]:
    """The sender, as far as the contacts beside the message tell: a person with a user name has no ``from``."""
    number, user = reading.digits(item, "from"), reading.text(item, "from_user_id")
    same = [
        each
        for each in contacts
        if (number and reading.digits(each, "wa_id") == number) or (user and reading.text(each, "user_id") == user)
    ]
    if not same and not number and not user and len(contacts) == 1:
        same = list(contacts)
    found = same[0] if same else {}
    named = {"wa_id": reading.digits(found, "wa_id") or number, "user_id": reading.text(found, "user_id") or user}
    return {name: value[: reading.LONGEST_ID] for name, value in named.items() if value}


def _notice(identity: str, kind: ProviderNotice.Kind, name: str, data: dict[str, Any], now: datetime) -> Notice:
    return Notice(
        dedup_id=reading.dedup_id(identity),
        kind=kind,
        name=name[: reading.LONGEST_NAME],
        provider_id=data["id"][: reading.LONGEST_ID],
        occurred_at=reading.unix_time(data.get("timestamp"), now),
        data=data,
    )


def _other(name: str, item: object, beside: dict[str, Any], now: datetime) -> Notice:
    """A notice for an update that this adapter does not know, so that nothing that Meta adds is lost."""
    data = {name: item, **beside}
    return Notice(
        dedup_id=f"other:{reading.fingerprint(data)}",
        kind=_Kind.OTHER,
        name=name[: reading.LONGEST_NAME],
        provider_id="",
        occurred_at=reading.unix_time(beside.get("time"), now),
        data=data,
    )


def _status_of(notice: ProviderNotice) -> ProviderStatus | None:
    """The status of a WhatsApp message, if it means anything to us."""
    status = _STATUSES.get(notice.name)
    if status is None:
        return None
    code, why = _error_of(notice.data) if status == Message.Status.FAILED else (None, "")
    error = error_for(code) if code is not None else None
    return ProviderStatus(
        at=reading.when(notice),
        provider_id=notice.provider_id,
        delivery_id=as_id(notice.data.get(OUR_ID)),
        status=status,
        failure=why,
        mark=mark_for(error),
        error=error,
        known_as=tuple(
            filter(None, (reading.digits(notice.data, "recipient_id"), reading.text(notice.data, "recipient_user_id")))
        ),
    )


def _error_of(data: dict[str, Any]) -> tuple[int | None, str]:
    errors = data.get("errors")
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    try:
        code = int(first["code"])
    except (KeyError, TypeError, ValueError):
        code = None
    details = reading.text(reading.part(first, "error_data"), "details") or reading.text(first, "title")
    return code, ": ".join(
        filter(None, (f"WhatsApp {code}" if code is not None else "WhatsApp gives no reason", details))
    )


def _reply_of(notice: ProviderNotice) -> Reply | None:
    """A person's message on WhatsApp; ``None``: it was not sent by a person.

    A person with a user name has no ``from``; then Meta's id for the person, the answered message or our button
    identifies them.
    """
    data = notice.data
    if notice.name in _NOT_BY_A_PERSON:
        return None
    sender = reading.part(data, SENDER)
    button, chosen = reading.part(data, "button"), reading.part(reading.part(data, "interactive"), "button_reply")
    reply = Reply(
        channel=ContactChannel.WHATSAPP,
        sender=reading.digits(data, "from") or reading.text(data, "from") or reading.text(sender, "wa_id"),
        at=reading.when(notice),
        text=reading.text(reading.part(data, "text"), "body")
        or reading.text(button, "text")
        or reading.text(chosen, "title"),
        payload=reading.text(button, "payload") or reading.text(chosen, "id"),
        answers=reading.text(reading.part(data, "context"), "id"),
        user_id=reading.text(data, "from_user_id") or reading.text(sender, "user_id"),
    )
    return reply if reply.sender or reply.user_id or reply.payload or reply.answers else None
