"""The codes with which we close sockets. docs/developers/realtime.md, "How a socket ends".

From 3000 to 3499 a client comes again, from 3500 to 3999 it does not. Those below 2000 are WebSocket's own.
"""

from enum import IntEnum

FIRST_TO_COME_AGAIN, FIRST_FINAL, LAST_FINAL = 3000, 3500, 3999


class CloseCode(IntEnum):
    """Why a socket was closed."""

    BINARY = 1003
    NOT_UTF8 = 1007
    TOO_LARGE = 1009
    BROKEN = 1011
    DEPLOY = 3001
    DATABASE_AWAY = 3003
    SLOW = 3008
    BAD_TICKET = 3010  # unknown, used or expired
    IDLE = 3011  # it followed no channel
    NO_PONG = 3012
    TOO_MANY_REQUESTS = 3013
    RIGHTS_CHANGED = 3014
    NOT_ALLOWED = 3500
    WRONG_PROTOCOL = 3501
    QUOTA = 3504  # of a key or an address
    RIGHT_WITHDRAWN = 3507

    @property
    def is_final(self) -> bool:
        """Whether a client must not come again."""
        return FIRST_FINAL <= self <= LAST_FINAL
