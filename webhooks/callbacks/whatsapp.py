"""WhatsApp Business Cloud API: statuses of our messages and what people write, many in one request.

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
from integrations.signatures.base import META
from webhooks.callbacks import reading
from webhooks.callbacks.base import Notice, Provider, Unreadable
from webhooks.models import ProviderNotice

_Kind = ProviderNotice.Kind
_METADATA = ("display_phone_number", "phone_number_id")
_LONGEST_METADATA = 32
SENDER = "sender"  # beside a message: who wrote it, by number (``wa_id``) and by Meta's id (``user_id``)
_CHALLENGE = re.compile(r"[A-Za-z0-9_.~+/=-]{1,200}", re.ASCII)


class WhatsApp(Provider):
    """Meta signs with the app's secret. When a callback URL is entered there, it first asks for the verify token."""

    slug = "whatsapp"
    label = "WhatsApp"
    kind = System.Kind.WHATSAPP
    signature = META
    methods = ("GET", "POST")

    def challenge(self, query: Mapping[str, Sequence[str]], tokens: Sequence[str]) -> str | None:
        """See :class:`Provider`. The text comes from the URL, so only harmless characters are sent back."""
        mode, token, challenge = (_only(query, f"hub.{name}") for name in ("mode", "verify_token", "challenge"))
        known = [hmac.compare_digest(each.encode(), token.encode()) for each in tokens]
        if mode != "subscribe" or not any(known) or not _CHALLENGE.fullmatch(challenge):
            return None
        return challenge

    def read(self, headers: Mapping[str, Sequence[str]], body: bytes, now: datetime) -> list[Notice]:
        """See :class:`Provider`. Each update is judged by itself: an odd one is kept, and drops none of the others."""
        entries = reading.json_object(body).get("entry")
        if not isinstance(entries, list):
            raise Unreadable("entry is not a list")
        notices = [notice for entry in entries for notice in _of_entry(entry, now)]
        if not notices:
            raise Unreadable("the body holds no change")
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
    told = list(_of_messages(reading.part(change, "value"), now)) if field == "messages" else []
    return told or [_other(field or "change", change, {"entry": entry.get("id"), "time": entry.get("time")}, now)]


def _of_messages(value: dict[str, Any], now: datetime) -> Iterator[Notice]:
    # Only what is known, and short: it is repeated beside each of the hundreds of statuses.
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
    """Who wrote, as far as the contacts beside the message say it: a person with a user name has no ``from``."""
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
    """What this adapter has no word for is kept, so that nothing that Meta adds gets lost."""
    data = {name: item, **beside}
    return Notice(
        dedup_id=f"other:{reading.fingerprint(data)}",
        kind=_Kind.OTHER,
        name=name[: reading.LONGEST_NAME],
        provider_id="",
        occurred_at=reading.unix_time(beside.get("time"), now),
        data=data,
    )
