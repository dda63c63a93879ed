"""What a browser does with a push message: RFC 8291, over the one record of RFC 8188's `aes128gcm`."""

from __future__ import annotations

import base64
import binascii
import struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_HEAD = 21  # bytes: the salt, the record size, the length of the key
_LAST_RECORD = 2


class NotReadable(ValueError):
    """It was not encrypted for this browser; the text says where reading ended."""


def decoded(text: str) -> bytes:
    """URL-safe base64 without padding.

    Raises:
        ValueError: it is something else.
    """
    try:
        return base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError("not URL-safe base64") from error


def encoded(raw: bytes) -> str:
    """The same the other way."""
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def private_key(text: str) -> ec.EllipticCurvePrivateKey:
    """A browser's private key from its 32 bytes in base64."""
    return ec.derive_private_key(int.from_bytes(decoded(text), "big"), ec.SECP256R1())


def point_of(key: ec.EllipticCurvePublicKey) -> bytes:
    """A public key as browsers write it: an uncompressed point of 65 bytes."""
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def decrypt(body: bytes, key: ec.EllipticCurvePrivateKey, auth: bytes) -> bytes:
    """The text that was encrypted for a browser.

    Raises:
        NotReadable: for another browser, damaged, or in several records, which Web Push does not allow.
    """
    if len(body) < _HEAD:
        raise NotReadable("the header is not complete")
    salt, (record_size, length) = body[:16], struct.unpack("!IB", body[16:_HEAD])
    sender, record = body[_HEAD : _HEAD + length], body[_HEAD + length :]
    if len(record) > record_size:
        raise NotReadable("there is more than one record")
    try:
        shared = key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender))
        secret = _derived(shared, auth, b"WebPush: info\0" + point_of(key.public_key()) + sender, 32)
        content_key = _derived(secret, salt, b"Content-Encoding: aes128gcm\0", 16)
        nonce = _derived(secret, salt, b"Content-Encoding: nonce\0", 12)
        padded = AESGCM(content_key).decrypt(nonce, record, None)
    except (ValueError, InvalidTag) as error:
        raise NotReadable("it does not decrypt with this browser's keys") from error
    text = padded.rstrip(b"\0")
    if not text or text[-1] != _LAST_RECORD:
        raise NotReadable("the padding is wrong")
    return text[:-1]


def _derived(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt, info).derive(secret)
