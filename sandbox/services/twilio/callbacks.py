"""What Twilio posts to the product: statuses of messages, and people's replies.

https://www.twilio.com/docs/messaging/guides/track-outbound-message-status
https://www.twilio.com/docs/messaging/guides/webhook-request
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from urllib.parse import urlencode

from sandbox.callbacks.sender import Callback, StatusStep
from sandbox.config import TwilioAccount
from sandbox.services.twilio.errors import fails_later
from sandbox.services.twilio.segments import segments_of
from sandbox.storage.messages import Message

STATUSES = ("queued", "sending", "sent", "delivered", "undelivered", "failed")
FAILURES = ("undelivered", "failed")
API_VERSION = "2010-04-01"
STOP = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"})
START = frozenset({"START", "YES", "UNSTOP"})
HELP = frozenset({"HELP", "INFO"})


def signature(auth_token: str, url: str, fields: Mapping[str, str]) -> str:
    """`X-Twilio-Signature`: the URL with its query, then every field in order of its name, without separators.

    https://www.twilio.com/docs/usage/security#validating-requests
    """
    signed = url + "".join(name + fields[name] for name in sorted(fields))
    return base64.b64encode(hmac.new(auth_token.encode(), signed.encode(), hashlib.sha1).digest()).decode()


def status_steps(account: TwilioAccount, sid: str, body: Mapping[str, str]) -> list[StatusStep]:
    """Sent, then delivered; to a number that ends in one of the late codes: undelivered, with that code."""

    def step(after: float, status: str, code: int | None = None) -> StatusStep:
        return StatusStep(after, status, lambda: status_callback(account, sid, body, status, code))

    code = fails_later(body["To"])
    last = step(0.6, "undelivered", code) if code else step(0.6, "delivered")
    return [step(0.1, "queued"), step(0.2, "sent"), last]


def status_callback(
    account: TwilioAccount, sid: str, body: Mapping[str, str], status: str, code: int | None = None
) -> Callback | None:
    """A status, for the URL that the message gave; `None` if it gave none."""
    url = body.get("StatusCallback")
    if not url:
        return None
    fields = {
        "MessageSid": sid,
        "MessageStatus": status,
        "SmsSid": sid,
        "SmsStatus": status,
        "AccountSid": account.account_sid,
        "ApiVersion": API_VERSION,
        "To": body["To"],
        "From": body.get("From") or account.numbers[0],
    }
    if "MessagingServiceSid" in body:
        fields["MessagingServiceSid"] = body["MessagingServiceSid"]
    if code is not None:
        fields["ErrorCode"] = str(code)
    return _signed(account, url, fields)


def opt_out_type(text: str) -> str:
    """`STOP`, `START` or `HELP` if the whole message is one of Twilio's words; else empty."""
    word = text.strip().upper()
    words = {"STOP": STOP, "START": START, "HELP": HELP}
    return next((name for name, known in words.items() if word in known), "")


def inbound_callback(account: TwilioAccount, sender: str, number: str, text: str) -> Callback | None:
    """What a person wrote to one of the account's numbers; `None` if the account has no URL for it."""
    if account.callback_url is None:
        return None
    sid = "SM" + secrets.token_hex(16)
    fields = {
        "ToCountry": "US",
        "SmsMessageSid": sid,
        "NumMedia": "0",
        "SmsSid": sid,
        "SmsStatus": "received",
        "Body": text,
        "To": number,
        "NumSegments": str(segments_of(text)),
        "MessageSid": sid,
        "AccountSid": account.account_sid,
        "From": sender,
        "ApiVersion": API_VERSION,
    }
    if account.tells_opt_outs and (kind := opt_out_type(text)):
        fields["OptOutType"] = kind
    return _signed(account, account.callback_url, fields)


def number_of(message: Message, account: TwilioAccount) -> str:
    """The number from which a message came, as the person who replies sees it."""
    return str(message.body.get("From") or account.numbers[0])


def _signed(account: TwilioAccount, url: str, fields: dict[str, str]) -> Callback:
    headers = {
        "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
        "X-Twilio-Signature": signature(account.auth_token, url, fields),
        "I-Twilio-Idempotency-Token": secrets.token_hex(16),
    }
    return Callback(url, urlencode(fields).encode(), lambda: headers)
