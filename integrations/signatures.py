"""How inbound requests prove who sent them. spec.md, "Inbound"."""

import hashlib
import hmac
import math
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

WINDOW = 300.0  # seconds, either way


class SignatureError(Exception):
    """Why a request is refused. ``slug`` is all that the sender is ever told."""

    def __init__(self, slug: str) -> None:
        super().__init__(slug)
        self.slug = slug


MISSING = "signature-missing"
MALFORMED = "signature-malformed"
MISMATCH = "signature-mismatch"
OUTSIDE_WINDOW = "timestamp-outside-window"

Headers = Mapping[str, Sequence[str]]


def single(headers: Headers, name: str) -> str:
    """A header that must stand exactly once.

    Raises:
        SignatureError: missing, or given twice.
    """
    values = headers.get(name.lower(), ())
    if not values or not values[0]:
        raise SignatureError(MISSING)
    if len(values) > 1:
        raise SignatureError(MALFORMED)
    return values[0]


class SignatureScheme(ABC):
    """One way of signing. Implement ``verify`` and ``sign``.

    ``oldest_body``: how old, in seconds, the envelope's own timestamp may be. Where only the body is signed, a vendor's
    retries after an outage of ours still count for 7 days.
    """

    oldest_body: ClassVar[float] = 7 * 86_400.0

    @abstractmethod
    def verify(self, headers: Headers, body: bytes, secrets: Sequence[str], now: float) -> None:
        """Return quietly when one of the live secrets made the signature. ``headers``: lower-case name to values.

        Raises:
            SignatureError: with the slug for the answer.
        """

    @abstractmethod
    def sign(self, body: bytes, secret: str, now: float) -> dict[str, str]:
        """The headers that a sender adds; for fixtures and tests."""


@dataclass(frozen=True)
class TimestampedList(SignatureScheme):
    """``Header: t=<unix s>,v1=<hex>[,v1=<hex>]`` over ``t.body``, as Stripe has it; VenueMaster's."""

    oldest_body = math.inf  # the header's time is signed with each try
    header: str

    def verify(self, headers: Headers, body: bytes, secrets: Sequence[str], now: float) -> None:
        """See :class:`SignatureScheme`."""
        timestamp, given = self._read(single(headers, self.header))
        expected = [_hex_digest(secret, f"{timestamp}.".encode() + body) for secret in secrets]
        pairs = [(mine, theirs) for mine in expected for theirs in given]
        if not any([hmac.compare_digest(mine, theirs) for mine, theirs in pairs]):  # noqa: C419  (every pair is compared)
            raise SignatureError(MISMATCH)
        if abs(now - int(timestamp)) > WINDOW:
            raise SignatureError(OUTSIDE_WINDOW)

    @staticmethod
    def _read(value: str) -> tuple[str, list[str]]:
        timestamps, signatures = [], []
        for part in value.split(","):
            name, _, text = part.strip().partition("=")
            if name == "t" and re.fullmatch(r"[0-9]{1,12}", text):
                timestamps.append(text)
            elif name == "v1" and re.fullmatch(r"[0-9a-fA-F]{64}", text):
                signatures.append(text.lower())
            else:
                raise SignatureError(MALFORMED)
        if len(timestamps) != 1 or not 1 <= len(signatures) <= 5:
            raise SignatureError(MALFORMED)
        return timestamps[0], signatures

    def sign(self, body: bytes, secret: str, now: float) -> dict[str, str]:
        """See :class:`SignatureScheme`."""
        timestamp = int(now)
        return {self.header: f"t={timestamp},v1={_hex_digest(secret, f'{timestamp}.'.encode() + body)}"}


@dataclass(frozen=True)
class PrefixedHex(SignatureScheme):
    """``Header: sha256=<hex>`` over the raw body, as GitHub has it; Studio Cloud's. The body's id stops a replay."""

    header: str
    prefix: str

    def verify(self, headers: Headers, body: bytes, secrets: Sequence[str], now: float) -> None:
        """See :class:`SignatureScheme`."""
        value = single(headers, self.header)
        given = value.removeprefix(self.prefix)
        if not value.startswith(self.prefix) or not re.fullmatch(r"[0-9a-fA-F]{64}", given):
            raise SignatureError(MALFORMED)
        expected = [_hex_digest(secret, body) for secret in secrets]
        if not any([hmac.compare_digest(mine, given.lower()) for mine in expected]):  # noqa: C419  (all are compared)
            raise SignatureError(MISMATCH)

    def sign(self, body: bytes, secret: str, now: float) -> dict[str, str]:
        """See :class:`SignatureScheme`."""
        return {self.header: self.prefix + _hex_digest(secret, body)}


def _hex_digest(secret: str, signed: bytes) -> str:
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
