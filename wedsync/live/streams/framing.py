"""Events as the bytes of a stream, made once for all streams that have the same position.

https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import orjson

from wedsync.live.streams import cursor

COMMENT = b":\n\n"
_SEQUENCE = b'","sequence":'
_POSITIONS = 16  # of streams, whose latest bytes are kept


def lines(texts: Iterable[bytes]) -> bytes:
    """Entries on their way to a stream: one a line. JSON has no line ends of its own."""
    return b"".join(text + b"\n" for text in texts)


def texts_of(given: bytes) -> Sequence[bytes]:
    """The entries of :func:`lines`."""
    return given.split(b"\n")[:-1]


def sequence_of(text: bytes) -> int:
    """An entry's sequence, which follows the channel's name; names contain no quotes."""
    start = text.index(_SEQUENCE) + len(_SEQUENCE)
    return int(text[start : text.index(b",", start)])


@lru_cache(maxsize=_POSITIONS)
def framed(
    marks: tuple[bytes, ...], sequences: tuple[int, ...], number: int, given: bytes, *, chunked: bool
) -> tuple[bytes, int]:
    """A channel's entries as the bytes of a stream, and the last one's sequence.

    Arguments:
        marks: of the stream's channels (:func:`cursor.mark_of`).
        sequences: the sequences up to which they have been written.
        number: which of them the entries belong to.
        given: the entries, as :func:`lines`.
        chunked: for an answer that is sent in chunks.
    """
    current = list(sequences)
    events: list[bytes] = []
    for text in texts_of(given):
        current[number] = sequence_of(text)
        id_ = cursor.written(zip(marks, current, strict=True))
        events.append(b"id: %b\ndata: %b\n\n" % (id_, text))
    content = b"".join(events)
    return chunk(content) if chunked else content, current[number]


def named(name: str, content: Mapping[str, Any], id_: bytes = b"") -> bytes:
    """An event of ours with a name, which browsers dispatch under it."""
    begin = b"id: %b\n" % id_ if id_ else b""
    return begin + b"event: %b\ndata: %b\n\n" % (name.encode(), orjson.dumps(content))


def retry(milliseconds: int) -> bytes:
    """How long a client waits before it reconnects."""
    return b"retry: %d\n\n" % milliseconds


def chunk(content: bytes) -> bytes:
    """One chunk of an answer (RFC 9112, 7.1)."""
    return b"%x\r\n%b\r\n" % (len(content), content)
