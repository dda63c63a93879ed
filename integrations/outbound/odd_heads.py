"""Repairs heads of answers that break HTTP but are clear all the same.

llhttp rejects folded headers, a space before a colon, lines that end with LF alone, and a repeated ``Content-Length``.
The meaning of such an answer is clear, and ignoring it would repeat a request that has arrived. RFC 9112, 2.2 and 5.2
let a client read the first and the third.
"""

import re

_END = re.compile(rb"\r?\n\r?\n")
_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_NOT_IN_VALUES = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


def repaired(received: bytes) -> bytes | None:
    """The same bytes with a valid head; ``None``: the head is not complete yet.

    Lines that are not headers are left out. Contradictory framing is left as it is, for the parser to reject.
    """
    end = _END.search(received)
    if end is None:
        return None
    first, *rest = re.split(rb"\r?\n", received[: end.start()])
    lines: list[bytes] = []
    for line in rest:
        if line[:1] in {b" ", b"\t"} and lines:
            lines[-1] += b" " + line.strip()
        else:
            lines.append(line)
    headers = _headers(lines)
    return b"\r\n".join([first.rstrip(), *headers, b"", b""]) + received[end.end() :]


def _headers(lines: list[bytes]) -> list[bytes]:
    found: list[bytes] = []
    lengths: set[bytes] = set()
    for line in lines:
        name, colon, value = line.partition(b":")
        name, value = name.strip(), value.strip()
        if not colon or not _NAME.fullmatch(name) or _NOT_IN_VALUES.search(value):
            continue
        if name.lower() == b"content-length":
            given = {each.strip() for each in value.split(b",")}
            if len(given) == 1 and given <= lengths:
                continue
            lengths |= given
            value = b", ".join(sorted(given))
        found.append(name + b": " + value)
    return found
