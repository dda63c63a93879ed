"""The formats in which senders put HMAC-SHA256 signatures into headers."""

import base64
import hmac
import math
import re
from dataclasses import dataclass

from integrations.signatures.base import (
    DIGEST_IN_BASE64,
    MALFORMED,
    MOST_SIGNATURES,
    TIMESTAMP,
    Headers,
    SignatureClaim,
    SignatureError,
    SignatureScheme,
    each_once,
)

_HEX = re.compile(r"[0-9a-fA-F]{64}")
_LISTED = re.compile(r"[ \t]*(?:t=([0-9]{1,12})|v1=([0-9a-fA-F]{64}))[ \t]*")


@dataclass(frozen=True)
class PrefixedHex(SignatureScheme):
    """``Header: sha256=<hex>`` over the raw body, as at GitHub; used by Studio Cloud and Meta.

    The id in the body prevents replays.
    """

    header: str
    prefix: str

    def read(self, headers: Headers) -> SignatureClaim:
        """See :class:`SignatureScheme`."""
        (value,) = each_once(headers, self.header)
        return SignatureClaim([_from_hex(value, self.prefix)])

    def sign(self, body: bytes, secret: str, now: float) -> dict[str, str]:
        """See :class:`SignatureScheme`."""
        return {self.header: self.prefix + hmac.digest(self.key(secret), body, "sha256").hex()}


@dataclass(frozen=True)
class Base64Body(SignatureScheme):
    """``Header: <base64>`` over the raw body, as at Shopify; used by PartyRental. The body's id prevents replays."""

    header: str

    def read(self, headers: Headers) -> SignatureClaim:
        """See :class:`SignatureScheme`."""
        (value,) = each_once(headers, self.header)
        if not DIGEST_IN_BASE64.fullmatch(value):
            raise SignatureError(MALFORMED)
        return SignatureClaim([base64.b64decode(value)])

    def sign(self, body: bytes, secret: str, now: float) -> dict[str, str]:
        """See :class:`SignatureScheme`."""
        return {self.header: base64.b64encode(hmac.digest(self.key(secret), body, "sha256")).decode()}


@dataclass(frozen=True)
class TimestampedHex(SignatureScheme):
    """The time in one header, ``<prefix><hex>`` in another; ``before``: the text signed before the body.

    Used by ShootQ and Slack.
    """

    oldest_body = math.inf  # the header's time is signed with each try
    timestamp_header: str
    header: str
    prefix: str = ""
    before: str = "{timestamp}."

    def read(self, headers: Headers) -> SignatureClaim:
        """See :class:`SignatureScheme`."""
        timestamp, value = each_once(headers, self.timestamp_header, self.header)
        if not TIMESTAMP.fullmatch(timestamp):
            raise SignatureError(MALFORMED)
        return SignatureClaim([_from_hex(value, self.prefix)], self._in_front(timestamp), int(timestamp))

    def sign(self, body: bytes, secret: str, now: float) -> dict[str, str]:
        """See :class:`SignatureScheme`."""
        timestamp = str(int(now))
        digest = hmac.digest(self.key(secret), self._in_front(timestamp) + body, "sha256")
        return {self.timestamp_header: timestamp, self.header: self.prefix + digest.hex()}

    def _in_front(self, timestamp: str) -> bytes:
        return self.before.format(timestamp=timestamp).encode()


@dataclass(frozen=True)
class TimestampedList(SignatureScheme):
    """``Header: t=<unix s>,v1=<hex>[,v1=<hex>]`` over ``t.body``, as at Stripe; used by VenueMaster."""

    oldest_body = math.inf  # the header's time is signed with each try
    header: str

    def read(self, headers: Headers) -> SignatureClaim:
        """See :class:`SignatureScheme`."""
        (value,) = each_once(headers, self.header)
        timestamps, signatures = [], []
        for part in value.split(",", MOST_SIGNATURES):
            found = _LISTED.fullmatch(part)
            if found is None:
                raise SignatureError(MALFORMED)
            timestamp, signature = found.groups()
            if timestamp:
                timestamps.append(timestamp)
            else:
                signatures.append(bytes.fromhex(signature))
        if len(timestamps) != 1 or not signatures:
            raise SignatureError(MALFORMED)
        return SignatureClaim(signatures, f"{timestamps[0]}.".encode(), int(timestamps[0]))

    def sign(self, body: bytes, secret: str, now: float) -> dict[str, str]:
        """See :class:`SignatureScheme`."""
        timestamp = int(now)
        digest = hmac.digest(self.key(secret), f"{timestamp}.".encode() + body, "sha256")
        return {self.header: f"t={timestamp},v1={digest.hex()}"}


def _from_hex(value: str, prefix: str) -> bytes:
    """The digest after the prefix, in either case."""
    if not value.startswith(prefix) or not _HEX.fullmatch(value, len(prefix)):
        raise SignatureError(MALFORMED)
    return bytes.fromhex(value[len(prefix) :])
