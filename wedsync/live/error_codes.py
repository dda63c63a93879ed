"""The errors that answer clients' requests on live channels. docs/developers/realtime-requests.md, "Errors"."""

from enum import StrEnum


class ErrorCode(StrEnum):
    """Why a request was not carried out."""

    BAD_REQUEST = "bad-request"
    UNKNOWN_OP = "unknown-op"
    TOO_MANY_REQUESTS = "too-many-requests"
    BAD_CHANNEL = "bad-channel"
    FORBIDDEN = "forbidden"
    TOO_MANY_CHANNELS = "too-many-channels"
    UNRECOVERABLE = "unrecoverable"
    UNAVAILABLE = "unavailable"

    @property
    def is_temporary(self) -> bool:
        """Whether the same request may succeed later."""
        return self in _TEMPORARY


_TEMPORARY = {ErrorCode.TOO_MANY_REQUESTS, ErrorCode.UNAVAILABLE}
