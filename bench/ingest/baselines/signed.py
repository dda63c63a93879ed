"""The other servers' only check: the HMAC of ``t.body`` in ``X-Venue-Signature``."""

import hmac
import os

SECRET = os.environ["BENCH_SECRET"].encode()


def is_signed(header: bytes, body: bytes) -> bool:
    """Whether the header ``t=<unix s>,v1=<hex>`` matches the body."""
    stamp, _, given = header.partition(b",v1=")
    expected = hmac.digest(SECRET, stamp[2:] + b"." + body, "sha256").hex().encode()
    return hmac.compare_digest(expected, given)
