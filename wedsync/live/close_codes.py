"""The codes with which we close sockets. docs/developers/realtime.md, "How a socket ends".

From 3000 to 3499 a client reconnects, from 3500 to 3999 it does not. Those below 2000 are WebSocket's own.
"""

from enum import IntEnum
from typing import Self

NORMAL, ABNORMAL = 1000, 1006  # RFC 6455, 7.4.1; 1006 is never sent: the connection broke
FIRST_TO_RECONNECT, FIRST_FINAL, LAST_FINAL = 3000, 3500, 3999


class CloseCode(IntEnum):
    """Why a socket was closed; ``when`` says it in words."""

    when: str

    def __new__(cls, code: int, when: str) -> Self:
        """A member with its number and its meaning."""
        member = int.__new__(cls, code)
        member._value_ = code
        member.when = when
        return member

    BINARY = 1003, "a binary message"
    NOT_UTF8 = 1007, "a text that is not UTF-8"
    TOO_LARGE = 1009, "a message was too large"
    BROKEN = 1011, "a fault of ours"
    DEPLOY = 3001, 'this process is about to be replaced; the reason is {"come_back_after": seconds}'
    DATABASE_AWAY = 3003, "the database is away; the ticket was not used up"
    SLOW = 3008, "nothing was read for too long"
    BAD_TICKET = 3010, "the ticket is unknown, used or expired"
    IDLE = 3011, "it followed no channel"
    NO_PONG = 3012, "pings were not answered"
    TOO_MANY_REQUESTS = 3013, "it went on making too many requests"
    RIGHTS_CHANGED = 3014, "its rights have changed; reconnect with a new ticket"
    NOT_ALLOWED = 3500, "its key, account or link may not follow channels, or nobody is signed in"
    WRONG_PROTOCOL = 3501, "it offered other subprotocols, or its URL has an unknown parameter"
    QUOTA = 3504, "its key, person or address has too many connections open"
    RIGHT_WITHDRAWN = 3507, "its right was withdrawn"

    @property
    def is_final(self) -> bool:
        """Whether a client must not reconnect."""
        return FIRST_FINAL <= self <= LAST_FINAL
