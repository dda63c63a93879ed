"""A vendor's side of a webhook, written from VenueMaster's contract and sharing no code with the product."""

import hashlib
import hmac
import time


def signature(body: bytes, secret: str, *, at: float | None = None) -> str:
    """The value of ``X-Venue-Signature``. ``at``: Unix seconds, else now."""
    stamp = int(time.time() if at is None else at)
    return f"t={stamp},v1={hmac.new(secret.encode(), b'%d.%b' % (stamp, body), hashlib.sha256).hexdigest()}"
