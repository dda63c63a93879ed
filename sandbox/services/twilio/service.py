"""`POST /2010-04-01/Accounts/{sid}/Messages.json`; the account's numbers can be read.

https://www.twilio.com/docs/messaging/api/message-resource#create-a-message
"""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from email.utils import formatdate
from urllib.parse import parse_qsl, urlsplit

from sandbox.callbacks.sender import Callback
from sandbox.config import SandboxConfig, TwilioAccount, TwilioConfig
from sandbox.services.twilio import callbacks, errors
from sandbox.services.twilio.errors import Refusal
from sandbox.services.twilio.segments import encoding_of, segments_of
from sandbox.storage.messages import Draft, Message
from sandbox.wire import Call, Json, Reply, json_reply
from sandbox.world import World

LONGEST_BODY = 1600
_PATH = re.compile(r"/2010-04-01/Accounts/(?P<sid>[A-Za-z0-9]+)/(?P<resource>Messages|IncomingPhoneNumbers)\.json")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_OPT_OUTS = "opt_out"


class Twilio:
    """The messages endpoint of every configured account."""

    slug = "twilio"

    def __init__(self, world: World) -> None:
        self._world = world

    def exists(self, config: SandboxConfig) -> bool:
        """Whether accounts are configured."""
        return config.twilio is not None

    def failure(self, status: int | None, code: int | str | None) -> Reply:
        """A fault in Twilio's error format; `code` is Twilio's."""
        return errors.error_reply(status, code if isinstance(code, int) else None)

    def answer(self, call: Call) -> Reply:
        """Accept or refuse a message."""
        config = self._world.config.current().twilio
        assert config is not None
        try:
            account = _authenticated(call, config)
            asked = _PATH.fullmatch(call.path)
            if asked is None or asked["sid"] != account.account_sid:
                raise Refusal(errors.NOT_FOUND, f"The requested resource {call.path} was not found")
            if asked["resource"] == "IncomingPhoneNumbers" and call.method == "GET":
                return _numbers(account)
            if asked["resource"] != "Messages" or call.method != "POST":
                raise Refusal(errors.NOT_FOUND)
            return self._take(call, account, config)
        except Refusal as refusal:
            return refusal.reply()

    def _take(self, call: Call, account: TwilioAccount, config: TwilioConfig) -> Reply:
        key = (self.slug, account.account_sid)
        rate = config.rate_per_second
        if not self._world.buckets.take(key, per_second=rate, burst=max(1, int(rate))).allowed:
            raise Refusal(errors.TOO_MANY_REQUESTS)
        body = _fields(call)
        _check(body, account)
        if (code := errors.refused_at_once(body["To"])) is not None:
            raise Refusal(code)
        if opted_out(self._world, account, body["To"]):
            raise Refusal(errors.OPTED_OUT)
        sid = "SM" + secrets.token_hex(16)
        segments = segments_of(body["Body"])
        view: dict[str, Json] = {"segments": segments, "encoding": encoding_of(body["Body"])}
        view["from"] = body.get("From") or body["MessagingServiceSid"]
        draft = Draft(sid, self.slug, account.account_sid, body["To"], body["Body"], body, view=view)
        message_id = self._world.messages.add(draft, call)
        self._world.callbacks.follow(self.slug, message_id, callbacks.status_steps(account, sid, body))
        return json_reply(201, _resource(account, sid, body, segments))


def opted_out(world: World, account: TwilioAccount, number: str) -> bool:
    """Whether the person with this number has written STOP to the account."""
    return any(record.get("stopped") for record in world.records.matching(Twilio.slug, _OPT_OUTS, "number", number))


def write_back(world: World, account: TwilioAccount, sender: str, number: str, text: str) -> Callback | None:
    """A person writes: STOP and START take effect here first, as at Twilio; then the product is told."""
    kind = callbacks.opt_out_type(text)
    if kind in ("STOP", "START"):
        record: dict[str, Json] = {"number": sender, "stopped": kind == "STOP"}
        world.records.merge(Twilio.slug, _OPT_OUTS, sender, record)
    return callbacks.inbound_callback(account, sender, number, text)


def account_of(config: SandboxConfig, message: Message | None) -> TwilioAccount | None:
    """The account that sent a message; without a message, the first account."""
    accounts = config.twilio.accounts if config.twilio else []
    return next((each for each in accounts if message is None or each.account_sid == message.account), None)


def _authenticated(call: Call, config: TwilioConfig) -> TwilioAccount:
    """By the account's SID and auth token, or by an API key and its secret."""
    scheme, _, given = call.headers.get("authorization", "").partition(" ")
    try:
        user, _, password = base64.b64decode(given, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        user, password = "", ""
    for account in config.accounts:
        known = {account.account_sid: account.auth_token, **account.api_keys}
        if scheme.lower() == "basic" and user in known and secrets.compare_digest(known[user], password):
            return account
    raise Refusal(errors.AUTHENTICATE)


def _fields(call: Call) -> dict[str, str]:
    if call.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
        return {}
    return dict(parse_qsl(call.body.decode("utf-8", "replace"), keep_blank_values=True))


def _check(body: dict[str, str], account: TwilioAccount) -> None:
    to, sender, service = (body.get(name, "") for name in ("To", "From", "MessagingServiceSid"))
    if not to:
        raise Refusal(errors.TO_MISSING)
    if not _E164.fullmatch(to):
        raise Refusal(errors.BAD_NUMBER, f"The 'To' number {to} is not a valid phone number.")
    if not sender and not service:
        raise Refusal(errors.FROM_MISSING)
    if service and service not in account.messaging_services:
        raise Refusal(errors.SERVICE_UNKNOWN)
    if sender and sender not in (*account.numbers, *account.alphanumeric_senders):
        raise Refusal(errors.FROM_NOT_OWNED)
    if sender == to:
        raise Refusal(errors.SAME_NUMBER)
    if not body.get("Body"):
        raise Refusal(errors.BODY_MISSING)
    if len(body["Body"]) > LONGEST_BODY:
        raise Refusal(errors.BODY_TOO_LONG)
    if (callback := body.get("StatusCallback")) and not _is_url(callback):
        raise Refusal(errors.BAD_CALLBACK)


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _resource(account: TwilioAccount, sid: str, body: dict[str, str], segments: int) -> dict[str, Json]:
    by_service = "MessagingServiceSid" in body
    uri = f"/2010-04-01/Accounts/{account.account_sid}/Messages/{sid}"
    now = formatdate(usegmt=False)
    return {
        "account_sid": account.account_sid,
        "api_version": callbacks.API_VERSION,
        "body": body["Body"],
        "date_created": now,
        "date_sent": None,
        "date_updated": now,
        "direction": "outbound-api",
        "error_code": None,
        "error_message": None,
        "from": body.get("From"),
        "messaging_service_sid": body.get("MessagingServiceSid"),
        "num_media": "0",
        "num_segments": "0" if by_service else str(segments),
        "price": None,
        "price_unit": "USD",
        "sid": sid,
        "status": "accepted" if by_service else "queued",
        "subresource_uris": {"media": f"{uri}/Media.json"},
        "to": body["To"],
        "uri": f"{uri}.json",
    }


def _numbers(account: TwilioAccount) -> Reply:
    found = [{"account_sid": account.account_sid, "phone_number": each} for each in account.numbers]
    return json_reply(200, {"incoming_phone_numbers": found, "page": 0, "page_size": 50})
