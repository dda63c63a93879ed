"""Checks who sends: the ES256 token of RFC 8292, `Authorization: vapid t=<token>, k=<public key>`."""

from __future__ import annotations

import json
import re

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256

from sandbox.services.web_push.encryption import decoded
from sandbox.wire import Json

LONGEST = 24 * 3600
"""Seconds that a token may be valid."""
_SUBJECT = re.compile(r"mailto:[^@\s]+@[^@\s]+|https://\S+")
_SIGNATURE = 64  # bytes: r and s


class VapidRefused(ValueError):
    """The token is missing or not valid; the text says why. `status`: what push services answer."""

    def __init__(self, text: str, status: int = 403) -> None:
        super().__init__(text)
        self.status = status


def check(header: str, *, origin: str, server_key: str, now: float) -> dict[str, Json]:
    """The token's claims.

    Arguments:
        origin: the push service's own, which the token must name.
        server_key: the public key for which the subscription was made; empty: any.

    Raises:
        VapidRefused: anything is wrong with it.
    """
    token, key = _parts(header)
    if server_key and key != server_key:
        raise VapidRefused("the key is not the one for which the subscription was made")
    claims = _verified(token, key)
    if claims.get("aud") != origin:
        raise VapidRefused(f"aud must be {origin}")
    expires = claims.get("exp")
    if isinstance(expires, bool) or not isinstance(expires, int | float) or not now < expires <= now + LONGEST:
        raise VapidRefused("exp must be in the future, within 24 hours")
    if not _SUBJECT.fullmatch(str(claims.get("sub", ""))):
        raise VapidRefused("sub must be a mailto: or https: URL")
    return claims


def _parts(header: str) -> tuple[str, str]:
    scheme, _, rest = header.partition(" ")
    if scheme.lower() != "vapid":
        raise VapidRefused("Authorization: vapid is required", 401)
    given = dict(part.strip().partition("=")[::2] for part in rest.split(","))
    if not given.get("t") or not given.get("k"):
        raise VapidRefused("the header needs t and k", 401)
    return given["t"], given["k"].rstrip("=")


def _verified(token: str, key: str) -> dict[str, Json]:
    try:
        head, body, signature = token.split(".")
        if json.loads(decoded(head)).get("alg") != "ES256":
            raise VapidRefused("the token must be signed with ES256")
        raw = decoded(signature)
        if len(raw) != _SIGNATURE:
            raise VapidRefused("the signature must be r and s")
        halves = [int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")]
        public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), decoded(key))
        public.verify(utils.encode_dss_signature(*halves), f"{head}.{body}".encode(), ec.ECDSA(SHA256()))
        claims = json.loads(decoded(body))
    except VapidRefused:
        raise
    except (ValueError, AttributeError, TypeError, InvalidSignature) as error:
        raise VapidRefused("the token's signature is not valid") from error
    if not isinstance(claims, dict):
        raise VapidRefused("the token has no claims")
    return claims
