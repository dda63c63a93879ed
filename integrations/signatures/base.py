"""How inbound requests prove who sent them. See docs/vendors/README.md, "The signature".

A scheme reads a claim out of the headers; the base class judges it, for all schemes in the same order: missing,
malformed, mismatch, outside the window. The order gives nothing away: the time is judged when the signature fits.
"""

import hmac
import re
import secrets as chance
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import ClassVar, NamedTuple

WINDOW = 300.0  # seconds, either way
MOST_SIGNATURES = 5  # in one header

MISSING = "signature-missing"
MALFORMED = "signature-malformed"
MISMATCH = "signature-mismatch"
OUTSIDE_WINDOW = "timestamp-outside-window"

Headers = Mapping[str, Sequence[str]]

TIMESTAMP = re.compile(r"[0-9]{1,12}")
# 32 bytes in base64; the last letter carries four bits, so only one spelling of each digest passes.
DIGEST_IN_BASE64 = re.compile(r"[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=")


class SignatureError(Exception):
    """Why a request is refused. ``slug`` is all that the sender is ever told."""

    def __init__(self, slug: str) -> None:
        super().__init__(slug)
        self.slug = slug


class SignatureClaim(NamedTuple):
    """What the headers claim: the ``signatures`` (raw digests, one of which must fit) over ``before`` and the body."""

    signatures: Sequence[bytes]
    before: bytes = b""  # signed in front of the body
    timestamp: int | None = None  # Unix seconds; part of ``before``


class SignatureScheme(ABC):
    """One way of signing. Implement ``read`` and ``sign``; leave ``verify``.

    ``oldest_body``: how old, in seconds, the envelope's own timestamp may be. Where only the body is signed, a vendor's
    retries after an outage of ours still count for 7 days; where the header's time is signed, that one is judged.
    """

    oldest_body: ClassVar[float] = 7 * 86_400.0
    digest: ClassVar[str] = "sha256"

    def verify(self, headers: Headers, body: bytes, secrets: Sequence[str], now: float, url: str = "") -> int:
        """Which of the live ``secrets`` made the signature: its index. All are compared, in constant time.

        ``headers``: lower-case name to values. ``now``: Unix seconds. ``url``: as the sender called it, with its query.

        Raises:
            SignatureError: with the slug for the answer.
            ValueError: a Standard Webhooks secret that is no ``whsec_`` and base64.
        """
        claim = self.read(headers)
        texts = self.signed(claim, body, url)
        fitting = None
        for place, secret in enumerate(secrets):
            for signed in texts:
                expected = _digest(self.key(secret), signed, self.digest)
                for given in claim.signatures:
                    if hmac.compare_digest(expected, given) and fitting is None:
                        fitting = place
        if fitting is None:
            raise SignatureError(MISMATCH)
        if claim.timestamp is not None and abs(now - claim.timestamp) > WINDOW:
            raise SignatureError(OUTSIDE_WINDOW)
        return fitting

    def signed(self, claim: SignatureClaim, body: bytes, url: str) -> Sequence[bytes]:
        """What is signed; several where senders differ in how they write it, such as a port."""
        return (claim.before + body,)

    @abstractmethod
    def read(self, headers: Headers) -> SignatureClaim:
        """The claim of the headers.

        Raises:
            SignatureError: missing or malformed.
        """

    @abstractmethod
    def sign(self, body: bytes, secret: str, now: float) -> dict[str, str]:
        """The headers that a sender adds; for fixtures and tests. ``now``: Unix seconds."""

    def key(self, secret: str) -> bytes:
        """The HMAC key of a secret: its UTF-8 bytes, as they stand."""
        return secret.encode()

    def new_secret(self) -> str:
        """A fresh random secret that fits the scheme."""
        return chance.token_urlsafe(32)

    def check_secret(self, text: str) -> None:
        """Return quietly when the scheme can sign with the secret.

        Raises:
            ValueError: it cannot; the message is for people and does not hold the secret.
        """
        if not text.strip():
            raise ValueError("a signing secret must not be empty")


def _digest(key: bytes, signed: bytes, algorithm: str) -> bytes:
    mac = _prepared(key, algorithm).copy()
    mac.update(signed)
    return mac.digest()


@lru_cache(maxsize=4096)
def _prepared(key: bytes, algorithm: str) -> hmac.HMAC:
    """Setting up an HMAC takes longer than running it over a webhook."""
    return hmac.new(key, digestmod=algorithm)


def each_once(headers: Headers, *names: str) -> list[str]:
    """The values of headers that must each stand exactly once, without the spaces around them (RFC 9110, 5.5).

    Raises:
        SignatureError: one is missing or empty; else, one is given twice.
    """
    found = [[value.strip(" \t") for value in headers.get(name.lower(), ())] for name in names]
    if not all(map(any, found)):
        raise SignatureError(MISSING)
    if any(len(values) > 1 for values in found):
        raise SignatureError(MALFORMED)
    return [values[0] for values in found]
