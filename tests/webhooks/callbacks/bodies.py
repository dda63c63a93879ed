"""What providers send, written from their documentation."""

import json
from typing import Any
from urllib.parse import urlencode

SVIX_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
METADATA = {"display_phone_number": "15550783881", "phone_number_id": "106540352242922"}


def status(wamid: str = "wamid.1", name: str = "delivered", at: int = 1750857384, **more: Any) -> dict[str, Any]:
    return {"id": wamid, "status": name, "timestamp": str(at), "recipient_id": "16505551234", **more}


def text_message(wamid: str = "wamid.in", text: str = "We are late", **more: Any) -> dict[str, Any]:
    sent = {"from": "16505551234", "id": wamid, "timestamp": "1750857390", "type": "text"}
    return {**sent, "text": {"body": text}, **more}


def messages(**value: Any) -> dict[str, Any]:
    return {"field": "messages", "value": {"messaging_product": "whatsapp", "metadata": METADATA, **value}}


def whatsapp(*changes: dict[str, Any], **entry: Any) -> bytes:
    entries = [{"id": "102290129340398", "changes": list(changes), **entry}]
    return json.dumps({"object": "whatsapp_business_account", "entry": entries}).encode()


def statuses(*found: dict[str, Any]) -> bytes:
    return whatsapp(messages(statuses=list(found)))


def resend(name: str = "email.bounced", **data: Any) -> bytes:
    told = {"email_id": "49a3999c-0ce1-4ea6-ab68-afcd6dc2e794", "to": ["anna@people.example"], **data}
    return json.dumps({"type": name, "created_at": "2026-06-19T10:00:00.120Z", "data": told}).encode()


def twilio_status(name: str = "delivered", sid: str = "SM1", **more: str) -> bytes:
    both = {"MessageSid": sid, "MessageStatus": name, "SmsSid": sid, "SmsStatus": name}
    return urlencode({**both, "AccountSid": "AC1", "From": "+12025550199", "To": "+16505551234", **more}).encode()


def twilio_text(text: str = "On my way", sid: str = "SMin", **more: str) -> bytes:
    told = {"MessageSid": sid, "SmsStatus": "received", "From": "+16505551234", "To": "+12025550199", "NumMedia": "0"}
    return urlencode({**told, "Body": text, **more}).encode()


def slack(**changes: Any) -> bytes:
    payload = {
        "type": "block_actions",
        "token": "verification",
        "trigger_id": "12321423423.333649436676.d8c1bb837935619ccad0f624c448ffb3",
        "response_url": "https://hooks.slack.example/actions/T1/1/x",
        "user": {"id": "U1", "username": "clara", "team_id": "T1"},
        "container": {"type": "message", "message_ts": "1750857384.000200", "channel_id": "C1"},
        "actions": [{"action_id": "ack", "value": "ACK:1", "action_ts": "1750857399.840180"}],
    }
    return urlencode({"payload": json.dumps(payload | changes)}).encode()
