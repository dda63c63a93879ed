"""WebSocket frames as bytes (RFC 6455, 5.2): made once for all sockets, since servers do not mask frames."""

from collections.abc import Iterable

_TEXT = 0x81  # the only frame of a text message
_SHORT, _MEDIUM = 125, 65_535  # bytes
_LENGTH_IN_2, _LENGTH_IN_8 = 126, 127


def text_frame(text: bytes) -> bytes:
    """One text message, uncompressed, which is allowed even if compression was negotiated (RFC 7692, 6)."""
    length = len(text)
    if length <= _SHORT:
        return bytes((_TEXT, length)) + text
    if length <= _MEDIUM:
        return bytes((_TEXT, _LENGTH_IN_2)) + length.to_bytes(2) + text
    return bytes((_TEXT, _LENGTH_IN_8)) + length.to_bytes(8) + text


def text_frames(texts: Iterable[bytes]) -> bytes:
    """Several messages, one after the other."""
    return b"".join(map(text_frame, texts))
