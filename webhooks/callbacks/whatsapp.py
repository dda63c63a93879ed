"""WhatsApp Business Cloud API: statuses of our messages and what people write, many in one request.

https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/components
https://developers.facebook.com/docs/graph-api/webhooks/getting-started (the handshake)
"""

import hmac
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from integrations.models import System
from integrations.signatures import META
from webhooks.callbacks import reading
from webhooks.callbacks.base import Notice, Provider, Unreadable
from webhooks.models import ProviderNotice

_Kind = ProviderNotice.Kind
_METADATA = ("display_phone_number", "phone_number_id")
_LONGEST_METADATA = 32
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
        """See :class:`Provider`."""
        entries = _objects(reading.json_object(body), "entry")
        notices = [
            notice
            for entry in entries
            for change in _objects(entry, "changes")
            for notice in _of_change(entry, change, now)
        ]
        if not notices:
            raise Unreadable("the body holds no change")
        return notices


def _only(query: Mapping[str, Sequence[str]], name: str) -> str:
    values = query.get(name, ())
    return values[0] if len(values) == 1 else ""


def _objects(parent: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = parent.get(name)
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise Unreadable(f"{name} is not a list of objects")
    return found


def _of_change(entry: dict[str, Any], change: dict[str, Any], now: datetime) -> list[Notice]:
    field = reading.text(change, "field")
    told = list(_of_messages(reading.part(change, "value"), now)) if field == "messages" else []
    return told or [_other(field or "change", change, {"entry": entry.get("id"), "time": entry.get("time")}, now)]


def _of_messages(value: dict[str, Any], now: datetime) -> Iterator[Notice]:
    # Only what is known, and short: it is repeated beside each of the hundreds of statuses.
    metadata = {name: reading.text(reading.part(value, "metadata"), name)[:_LONGEST_METADATA] for name in _METADATA}
    for name, reader in (("statuses", _status), ("messages", _message)):
        found = value.get(name)
        for item in found if isinstance(found, list) else []:
            notice = reader(item, metadata, now) if isinstance(item, dict) else None
            yield notice or _other(name, item, {"metadata": metadata}, now)


def _status(item: dict[str, Any], metadata: dict[str, str], now: datetime) -> Notice | None:
    wamid, status = reading.text(item, "id"), reading.text(item, "status")
    if not wamid or not status:
        return None
    identity = f"status:{wamid}:{status}:{item.get('timestamp')}"
    return _notice(identity, _Kind.STATUS, status, item, metadata, now)


def _message(item: dict[str, Any], metadata: dict[str, str], now: datetime) -> Notice | None:
    wamid = reading.text(item, "id")
    return (
        _notice(f"message:{wamid}", _Kind.MESSAGE, reading.text(item, "type"), item, metadata, now) if wamid else None
    )


def _notice(
    identity: str, kind: ProviderNotice.Kind, name: str, item: dict[str, Any], metadata: dict[str, str], now: datetime
) -> Notice:
    return Notice(
        dedup_id=reading.dedup_id(identity),
        kind=kind,
        name=name[: reading.LONGEST_NAME],
        provider_id=item["id"][: reading.LONGEST_ID],
        occurred_at=reading.unix_time(item.get("timestamp"), now),
        data={**item, "metadata": metadata},
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
