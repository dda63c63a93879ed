"""The texts of tickets: random, with a mark that only we can make, so that an invented one is refused without a query.

docs/adr/0095.
"""

import hashlib
import secrets
from base64 import urlsafe_b64encode

from django.utils.crypto import constant_time_compare, salted_hmac

PREFIX = "wst_"
_RANDOM_BYTES, _MARK_BYTES = 32, 15
_PURPOSE = "wedsync.live.ticket"
_MARK_LENGTH = _MARK_BYTES * 4 // 3


def new() -> str:
    """A new ticket's text."""
    text = PREFIX + secrets.token_urlsafe(_RANDOM_BYTES)
    return text + _mark(text)


def is_ours(text: str) -> bool:
    """Whether we made this text. Whether it is still worth anything is known to its row alone."""
    begin, mark = text[:-_MARK_LENGTH], text[-_MARK_LENGTH:]
    return text.startswith(PREFIX) and text.isascii() and constant_time_compare(mark, _mark(begin))


def digest(text: str) -> str:
    """What is stored of a ticket's text."""
    return hashlib.sha256(text.encode()).hexdigest()


def _mark(text: str) -> str:
    found = salted_hmac(_PURPOSE, text, algorithm="sha256").digest()[:_MARK_BYTES]
    return urlsafe_b64encode(found).decode()
