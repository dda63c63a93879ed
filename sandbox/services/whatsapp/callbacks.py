"""What Meta posts to the product: statuses of messages, and people's replies.

https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/payload-examples
"""

from __future__ import annotations

import json
import re
import secrets
import time
from dataclasses import dataclass

from sandbox.callbacks.sender import Callback, StatusStep
from sandbox.config import WhatsAppAccount
from sandbox.services.whatsapp.errors import title_of
from sandbox.services.whatsapp.failing_numbers import fails_later
from sandbox.services.whatsapp.numbers import user_id_of
from sandbox.signatures import meta_signature
from sandbox.wire import Json

_ERRORS_PAGE = "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/"


@dataclass(frozen=True)
class Sent:
    """A message that was accepted."""

    wamid: str
    wa_id: str
    callback_data: str | None


def status_steps(account: WhatsAppAccount, sent: Sent) -> list[StatusStep]:
    """Sent, then delivered; to a number that ends in one of Meta's error codes: failed, with that code.

    So +15550131026 is not on WhatsApp, and +15550131049 has reached its marketing cap.
    """
    code = fails_later(sent.wa_id)
    if code is not None:
        return [StatusStep(0.3, "failed", lambda: status_callback(account, sent, "failed", code))]
    return [
        StatusStep(0.2, "sent", lambda: status_callback(account, sent, "sent")),
        StatusStep(0.6, "delivered", lambda: status_callback(account, sent, "delivered")),
    ]


def status_callback(account: WhatsAppAccount, sent: Sent, status: str, code: int | None = None) -> Callback | None:
    """A status of a message, if the account has a callback URL."""
    now = int(time.time())
    entry: dict[str, Json] = {
        "id": sent.wamid,
        "status": status,
        "timestamp": str(now),
        "recipient_id": sent.wa_id,
    }
    if sent.callback_data is not None:
        entry["biz_opaque_callback_data"] = sent.callback_data
    if code is not None:
        title = title_of(code)
        error = {"code": code, "title": title, "message": title, "error_data": {"details": title}, "href": _ERRORS_PAGE}
        entry["errors"] = [error]
    else:
        conversation: dict[str, Json] = {"id": secrets.token_hex(16), "origin": {"type": "utility"}}
        if status == "sent":
            conversation["expiration_timestamp"] = str(now + 24 * 3600)
        pricing = {"billable": True, "pricing_model": "PMP", "type": "regular", "category": "utility"}
        entry |= {"conversation": conversation, "pricing": pricing}
    return _callback(account, {"statuses": [entry]})


def reply_callback(
    account: WhatsAppAccount, wa_id: str, reply: dict[str, Json], context: str | None, user_name: str = ""
) -> Callback | None:
    """What a person wrote or pressed: `reply` is `{"type":"text",...}` or `{"type":"button",...}`.

    For a person with a user name, Meta sends an id instead of the number.
    https://developers.facebook.com/documentation/business-messaging/whatsapp/business-scoped-user-ids
    """
    message: dict[str, Json] = {
        "id": "wamid." + secrets.token_urlsafe(30),
        "timestamp": str(int(time.time())),
    }
    message |= ({"from_user_id": user_id_of(wa_id)} if user_name else {"from": wa_id}) | reply
    if context is not None:
        sender = re.sub(r"\D", "", account.display_phone_number)
        message["context"] = {"from": sender, "id": context}
    contact: dict[str, Json] = {"profile": {"name": f"+{wa_id}"}, "wa_id": wa_id}
    if user_name:
        contact = {"profile": {"name": user_name, "username": user_name}, "user_id": user_id_of(wa_id)}
    return _callback(account, {"contacts": [contact], "messages": [message]})


def _callback(account: WhatsAppAccount, part: dict[str, Json]) -> Callback | None:
    if account.callback_url is None:
        return None
    metadata = {
        "display_phone_number": re.sub(r"\D", "", account.display_phone_number),
        "phone_number_id": account.phone_number_id,
    }
    value = {"messaging_product": "whatsapp", "metadata": metadata} | part
    entry = {"id": account.waba_id, "changes": [{"field": "messages", "value": value}]}
    body = json.dumps({"object": "whatsapp_business_account", "entry": [entry]}, ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json", "X-Hub-Signature-256": meta_signature(account.app_secret, body)}
    return Callback(account.callback_url, body, lambda: headers, account.verify_token or None)
