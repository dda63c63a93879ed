"""Verification of inbound requests' signatures. See docs/vendors/README.md, "The signature".

A scheme reads a claim from the headers; the base class judges it in the same order for all schemes: missing, malformed,
mismatch, outside the window. The order reveals nothing: the time is only judged if the signature matches.
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
# 32 bytes in base64; the last character carries four bits, so only one spelling of each digest passes.
DIGEST_IN_BASE64 = re.compile(r"[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=")


class SignatureError(Exception):
    """A signature was refused. ``slug`` is all that the sender is told."""

    def __init__(self, slug: str) -> None:
        super().__init__(slug)
        self.slug = slug


class SignatureClaim(NamedTuple):
    """The claim in the headers: ``signatures`` (raw digests, one of which must match) over ``before`` and the body."""

    signatures: Sequence[bytes]
    before: bytes = b""  # signed before the body
    timestamp: int | None = None  # Unix seconds; part of ``before``


class SignatureScheme(ABC):
    """One way of signing. Implement ``read`` and ``sign``; leave ``verify``.

    ``oldest_body``: how old, in seconds, the envelope's own timestamp may be. If only the body is signed, a vendor's
    retries after an outage of ours count for 7 days; if the header's time is signed, only that is judged.
    """

    oldest_body: ClassVar[float] = 7 * 86_400.0
    digest: ClassVar[str] = "sha256"

    def verify(self, headers: Headers, body: bytes, secrets: Sequence[str], now: float, url: str = "") -> int:
        """The index of the live secret that made the signature. All are compared, in constant time.

        ``headers``: lower-case name to values. ``now``: Unix seconds. ``url``: as the sender called it, with its query.

        Raises:
            SignatureError: with the slug for the answer.
            ValueError: a Standard Webhooks secret that is not ``whsec_`` and base64.
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
        """The signed bytes; several if senders write them differently, for example a port."""
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
        """The HMAC key of a secret: its UTF-8 bytes, unchanged."""
        return secret.encode()

    def new_secret(self) -> str:
        """A new random secret for the scheme."""
        return chance.token_urlsafe(32)

    def check_secret(self, text: str) -> None:
        """Accept a secret that the scheme can sign with.

        Raises:
            ValueError: it cannot; the message is for people and does not contain the secret.
        """
        if not text.strip():
            raise ValueError("a signing secret must not be empty")


def _digest(key: bytes, signed: bytes, algorithm: str) -> bytes:
    mac = _prepared(key, algorithm).copy()
    mac.update(signed)
    return mac.digest()


@lru_cache(maxsize=4096)
def _prepared(key: bytes, algorithm: str) -> hmac.HMAC:
    """A prepared HMAC; cached, since setting one up takes longer than running it over a webhook."""
    return hmac.new(key, digestmod=algorithm)


def each_once(headers: Headers, *names: str) -> list[str]:
    """The values of headers that must each occur exactly once, without surrounding spaces (RFC 9110, 5.5).

    Raises:
        SignatureError: one is missing or empty, or one is given twice.
    """
    found = [[value.strip(" \t") for value in headers.get(name.lower(), ())] for name in names]
    if not all(map(any, found)):
        raise SignatureError(MISSING)
    if any(len(values) > 1 for values in found):
        raise SignatureError(MALFORMED)
    return [values[0] for values in found]
