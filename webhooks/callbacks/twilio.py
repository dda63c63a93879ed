"""Twilio: the status of one message, or a text that a person sent, as a form.

https://www.twilio.com/docs/messaging/guides/track-outbound-message-status
https://www.twilio.com/docs/messaging/guides/webhook-request
https://www.twilio.com/docs/usage/security#validating-requests (the signature)
"""

import base64
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qs, parse_qsl, urlsplit, urlunsplit

from integrations.models import System
from integrations.signatures.base import MALFORMED, Headers, SignatureClaim, SignatureError, SignatureScheme, each_once
from notifications.channels.sms.channel import KEY
from notifications.channels.sms.errors import error_for
from notifications.feedback.notices import Effect, ProviderStatus, Reply, mark_for
from notifications.models import Message
from webhooks.callbacks import reading
from webhooks.callbacks.base import Answer, Notice, Provider, Unreadable
from webhooks.models import OUR_ID, ProviderNotice
from wedsync.ids import as_id
from wedsync.weddings.models import ContactChannel

_Kind, _Status = ProviderNotice.Kind, Message.Status
_SHA1 = re.compile(r"[A-Za-z0-9+/]{26}[AEIMQUYcgkosw048]=")
_PORTS = {"https": 443, "http": 80}
_STATUSES = {
    "sent": _Status.SENT,
    "delivered": _Status.DELIVERED,
    "read": _Status.READ,
    "undelivered": _Status.FAILED,
    "failed": _Status.FAILED,
    "canceled": _Status.FAILED,
}
_RECEIVED = "received"
_LONGEST_CODE = 9  # digits
_LOSSLESS = ("utf-8", "surrogateescape")  # bytes that are not UTF-8 stay distinct in what is signed
_OPT_OUTS = {"STOP": True, "START": False}
# If its advanced opt-out is off, Twilio still obeys these words, and its callback does not say so.
# https://help.twilio.com/articles/223134027
_STOPS = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"})
_STARTS = frozenset({"START", "YES", "UNSTOP"})


@dataclass(frozen=True)
class UrlAndFields(SignatureScheme):
    """HMAC-SHA1, in base64, over the URL as called, with its query, and the form's fields sorted by name.

    The URL is the public one, since a proxy changes scheme, host and port. Twilio may leave the port out of what it
    signs, or add the default one, so both are accepted, as in its own library.
    """

    digest = "sha1"
    header: str

    def read(self, headers: Headers) -> SignatureClaim:
        """See :class:`SignatureScheme`."""
        (value,) = each_once(headers, self.header)
        if not _SHA1.fullmatch(value):
            raise SignatureError(MALFORMED)
        return SignatureClaim([base64.b64decode(value)])

    def signed(self, claim: SignatureClaim, body: bytes, url: str) -> Sequence[bytes]:
        """See :class:`SignatureScheme`."""
        form = parse_qsl(body.decode(*_LOSSLESS), keep_blank_values=True, errors=_LOSSLESS[1])
        fields = "".join(name + value for name, value in sorted(set(form))).encode(*_LOSSLESS)
        return [each.encode() + fields for each in _spellings(url)]

    def sign(self, body: bytes, secret: str, now: float, url: str = "") -> dict[str, str]:
        """See :class:`SignatureScheme`. ``url``: as the sender calls it."""
        signed = self.signed(SignatureClaim([]), body, url)[0]
        return {self.header: base64.b64encode(hmac.digest(self.key(secret), signed, "sha1")).decode()}


def _spellings(url: str) -> list[str]:
    """The URL unchanged, without its port, and with it."""
    parts = urlsplit(url)
    usual = _PORTS.get(parts.scheme)
    if not parts.hostname or usual is None:
        return [url]
    host, _, _ = parts.netloc.rpartition(f":{parts.port}") if parts.port else (parts.netloc, "", "")
    places = dict.fromkeys((parts.netloc, host, f"{host}:{parts.port or usual}"))
    return [urlunsplit(parts._replace(netloc=place)) for place in places]


TWILIO = UrlAndFields("X-Twilio-Signature")


class Twilio(Provider):
    """Twilio signs with the account's auth token, and executes the answer as commands."""

    slug = "twilio"
    label = "Twilio"
    kind = System.Kind.SMS
    signature = TWILIO
    secret = "the account's auth token"  # noqa: S105  (where it is found)
    answer = Answer("<Response/>", "text/xml; charset=utf-8")
    largest = 64 * 1024

    def read(self, headers: Mapping[str, Sequence[str]], body: bytes, now: datetime, url: str = "") -> list[Notice]:
        """See :class:`Provider`. The query of a status callback's URL contains our own id of the message."""
        form = {
            reading.storable_text(name): reading.storable_text(value)
            for name, value in parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
        }
        sid = form.get("MessageSid") or form.get("SmsSid", "")
        if not sid:
            raise Unreadable("the form has no MessageSid")
        status = form.get("MessageStatus") or form.get("SmsStatus", "")
        kind = _Kind.MESSAGE if status == _RECEIVED else _Kind.STATUS
        identity = f"message:{sid}" if kind == _Kind.MESSAGE else f"status:{sid}:{status}"
        keys = [reading.storable_text(each) for each in parse_qs(urlsplit(url).query).get(KEY, [])]
        without = {name: value for name, value in form.items() if name != OUR_ID}
        notice = Notice(
            dedup_id=reading.dedup_id(identity),
            kind=kind,
            name=status[: reading.LONGEST_NAME],
            provider_id=sid[: reading.LONGEST_ID],
            occurred_at=now,
            data={**without, **({OUR_ID: keys[0]} if kind == _Kind.STATUS and len(keys) == 1 else {})},
        )
        return [notice]

    def effect_of(self, notice: ProviderNotice) -> Effect | None:
        """See :class:`Provider`."""
        if notice.kind == _Kind.STATUS:
            return _status_of(notice)
        return _reply_of(notice) if notice.kind == _Kind.MESSAGE else None


def _status_of(notice: ProviderNotice) -> ProviderStatus:
    """Even a status that changes nothing, such as *queued*, reports Twilio's id of the message."""
    status = _STATUSES.get(notice.name)
    code = reading.digits(notice.data, "ErrorCode")
    known = 0 < len(code) <= _LONGEST_CODE and status == _Status.FAILED
    error = error_for(int(code)) if known else None
    return ProviderStatus(
        at=reading.when(notice),
        provider_id=notice.provider_id,
        delivery_id=as_id(notice.data.get(OUR_ID)),
        status=status,
        failure=(str(error) if error else f"Twilio: {notice.name}") if status == _Status.FAILED else "",
        mark=mark_for(error),
        error=error,
    )


def _reply_of(notice: ProviderNotice) -> Reply | None:
    sender = reading.digits(notice.data, "From")
    text = reading.text(notice.data, "Body")
    if not sender:
        return None
    return Reply(ContactChannel.SMS, sender, reading.when(notice), text=text, opt_out=_opt_out(notice, text))


def _opt_out(notice: ProviderNotice, text: str) -> bool | None:
    """How Twilio itself understood the text; it has already acted on it."""
    if kind := reading.text(notice.data, "OptOutType").upper():
        return _OPT_OUTS.get(kind)
    word = text.strip().upper()
    return True if word in _STOPS else False if word in _STARTS else None
