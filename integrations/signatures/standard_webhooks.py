"""Standard Webhooks 1.0: for WedSync's requests to other systems, and for those of Iris Works and Resend to us.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import hashlib
import hmac
import math
import re
import secrets as chance
from collections.abc import Sequence
from dataclasses import dataclass

from integrations.signatures.base import (
    DIGEST_IN_BASE64,
    MALFORMED,
    TIMESTAMP,
    Headers,
    SignatureClaim,
    SignatureError,
    SignatureScheme,
    each_once,
)

SECRET_PREFIX = "whsec_"  # noqa: S105
MOST_LISTED = 10  # signatures in one header, of all versions

_MESSAGE_ID = re.compile(r"[!-~]{1,256}")
_LISTED = re.compile(r"([a-zA-Z0-9]{1,8}),([!-~]{1,256})")


def secret_key(secret: str) -> bytes:
    """The HMAC key of a secret.

    Raises:
        ValueError: not ``whsec_`` and base64.
    """
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except ValueError:
        key = b""
    if not key or not secret.startswith(SECRET_PREFIX):
        raise ValueError("a Standard Webhooks secret is whsec_ followed by base64")
    return key


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """One signature, ``v1,<base64>``, over ``id.timestamp.body``."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(secret_key(secret), signed, "sha256")).decode()


def headers(
    secret: str | Sequence[str], message_id: str, timestamp: int, body: bytes, *, prefix: str = "webhook-"
) -> dict[str, str]:
    """The three headers. ``message_id`` is the same for all retries; ``timestamp``, Unix seconds, is the attempt's.

    Arguments:
        secret: one, or several, newest first: during a rotation each of them signs.

    Raises:
        ValueError: a secret that is not ``whsec_`` and base64.
    """
    listed = (secret,) if isinstance(secret, str) else secret
    return {
        f"{prefix}id": message_id,
        f"{prefix}timestamp": str(timestamp),
        f"{prefix}signature": " ".join(sign(each, message_id, timestamp, body) for each in listed),
    }


@dataclass(frozen=True)
class StandardWebhooks(SignatureScheme):
    """``<prefix>id``, ``<prefix>timestamp`` and ``<prefix>signature``, a space-separated list of ``v1,<base64>``.

    Signatures of other versions may be in the list and are ignored.
    """

    oldest_body = math.inf  # the header's time is signed with each try
    prefix: str = "webhook-"

    def read(self, headers: Headers) -> SignatureClaim:
        """See :class:`SignatureScheme`."""
        names = (f"{self.prefix}id", f"{self.prefix}timestamp", f"{self.prefix}signature")
        message_id, timestamp, listed = each_once(headers, *names)
        if not _MESSAGE_ID.fullmatch(message_id) or not TIMESTAMP.fullmatch(timestamp):
            raise SignatureError(MALFORMED)
        return SignatureClaim(_signatures(listed), f"{message_id}.{timestamp}.".encode(), int(timestamp))

    def sign(self, body: bytes, secret: str, now: float) -> dict[str, str]:
        """See :class:`SignatureScheme`. The message's id is derived from the body, so that a retry has the same."""
        message_id = "msg_" + hashlib.sha256(body).hexdigest()[:27]
        return headers(secret, message_id, int(now), body, prefix=self.prefix)

    def key(self, secret: str) -> bytes:
        """See :func:`secret_key`."""
        return secret_key(secret)

    def new_secret(self) -> str:
        """See :class:`SignatureScheme`."""
        return SECRET_PREFIX + base64.b64encode(chance.token_bytes(32)).decode()

    def check_secret(self, text: str) -> None:
        """See :class:`SignatureScheme`."""
        secret_key(text)


def _signatures(listed: str) -> list[bytes]:
    found = []
    for entry in listed.split(" ", MOST_LISTED - 1):
        versioned = _LISTED.fullmatch(entry)
        if versioned is None:
            raise SignatureError(MALFORMED)
        version, signature = versioned.groups()
        if version != "v1":
            continue
        if not DIGEST_IN_BASE64.fullmatch(signature):
            raise SignatureError(MALFORMED)
        found.append(base64.b64decode(signature))
    if not found:
        raise SignatureError(MALFORMED)
    return found
