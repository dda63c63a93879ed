"""A client's position in several channels, as one opaque text: the ``id`` of each event of a stream.

Version 1, as base64url without padding: the version, for each channel a mark and a sequence, and a checksum. The mark
has 6 bytes for the name and 4 for the epoch; the sequence is a varint (LEB128). A cursor grants nothing, so nobody
gains by forging one; the checksum finds what was damaged or cut off. docs/adr/0105.
"""

import base64
import binascii
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from zlib import crc32

VERSION = 1
LONGEST = 4096  # characters
_NAME, _EPOCH, _CHECKSUM = 6, 4, 4  # bytes
_MARK = _NAME + _EPOCH
_LARGEST = 2**63 - 1
_MOST_BITS = 63


class BadCursor(ValueError):
    """A text that is not one of our cursors, or was damaged."""


@dataclass(frozen=True)
class CursorPosition:
    """A client's position in one channel."""

    epoch_mark: bytes
    sequence: int

    def is_of(self, epochs: Iterable[str]) -> str | None:
        """The one of these epochs that it belongs to."""
        return next((epoch for epoch in epochs if _hashed(epoch, _EPOCH) == self.epoch_mark), None)


@lru_cache(maxsize=4096)
def mark_of(name: str, epoch: str) -> bytes:
    """What a cursor says of a channel besides the sequence."""
    return name_mark(name) + _hashed(epoch, _EPOCH)


def name_mark(name: str) -> bytes:
    """What a cursor says of a channel's name; the key of :func:`read`."""
    return _hashed(name, _NAME)


def written(positions: Iterable[tuple[bytes, int]]) -> bytes:
    """The cursor of channels, by mark and sequence."""
    body = bytearray((VERSION,))
    for mark, sequence in positions:
        body += mark
        while sequence > 0x7F:
            body.append(sequence & 0x7F | 0x80)
            sequence >>= 7
        body.append(sequence)
    body += crc32(body).to_bytes(_CHECKSUM)
    return base64.urlsafe_b64encode(body).rstrip(b"=")


def read(text: str) -> Mapping[bytes, CursorPosition]:
    """The positions that a cursor names, by :func:`name_mark`.

    Raises:
        BadCursor: it is not one, or was damaged.
    """
    body = _body(text)
    found: dict[bytes, CursorPosition] = {}
    at = 1
    while at < len(body):
        name, epoch = body[at : at + _NAME], body[at + _NAME : at + _MARK]
        sequence, at = _varint(body, at + _MARK)
        if name in found:
            raise BadCursor(text)
        found[name] = CursorPosition(epoch, sequence)
    return found


def _body(text: str) -> bytes:
    if len(text) > LONGEST or not text.isascii():
        raise BadCursor(text)
    try:
        whole = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise BadCursor(text) from error
    body, checksum = whole[:-_CHECKSUM], whole[-_CHECKSUM:]
    if not body or body[0] != VERSION or crc32(body).to_bytes(_CHECKSUM) != checksum:
        raise BadCursor(text)
    return body


def _varint(body: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    for at in range(at, len(body)):  # noqa: B020  (goes on from where the mark ended)
        value |= (body[at] & 0x7F) << shift
        if body[at] < 0x80:
            if value > _LARGEST:
                break
            return value, at + 1
        shift += 7
        if shift > _MOST_BITS:
            break
    raise BadCursor(body.hex())


def _hashed(text: str, size: int) -> bytes:
    return blake2b(text.encode(), digest_size=size).digest()
