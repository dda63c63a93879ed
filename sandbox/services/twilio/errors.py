"""Twilio's error bodies and codes.

https://www.twilio.com/docs/api/errors
"""

from __future__ import annotations

import re
from types import MappingProxyType

from sandbox.services.error_tables import ErrorTable
from sandbox.wire import Reply, json_reply

AUTHENTICATE = 20003
NOT_FOUND = 20404
TOO_MANY_REQUESTS = 20429
BAD_NUMBER = 21211
SAME_NUMBER = 21266
BODY_MISSING = 21602
FROM_MISSING = 21603
TO_MISSING = 21604
BAD_CALLBACK = 21609
OPTED_OUT = 21610
BODY_TOO_LONG = 21617
FROM_NOT_OWNED = 21659
SERVICE_UNKNOWN = 21705

_CODES: MappingProxyType[int, tuple[int, str]] = MappingProxyType(
    {
        20003: (401, "Authenticate"),
        20404: (404, "The requested resource was not found"),
        20429: (429, "Too Many Requests"),
        20500: (500, "Internal Server Error"),
        20503: (503, "Service Unavailable"),
        21211: (400, "Invalid 'To' Phone Number"),
        21266: (400, "'To' and 'From' number cannot be the same"),
        21408: (400, "Permission to send an SMS has not been enabled for the region indicated by the 'To' number"),
        21602: (400, "Message body is required"),
        21603: (400, "A 'From' phone number is required"),
        21604: (400, "A 'To' phone number is required"),
        21608: (400, "The number is unverified. Trial accounts cannot send messages to unverified numbers"),
        21609: (400, "The 'StatusCallback' URL is not a valid URL"),
        21610: (400, "Attempt to send to unsubscribed recipient"),
        21611: (429, "This 'From' number has exceeded the maximum number of queued messages"),
        21612: (400, "Message cannot be sent with the current combination of 'To' and 'From' parameters"),
        21614: (400, "'To' number is not a valid mobile number"),
        21617: (400, "The concatenated message body exceeds the 1600 character limit"),
        21635: (400, "'To' number cannot be a landline"),
        21659: (400, "'From' is not a Twilio phone number of this account"),
        21705: (400, "The Messaging Service is invalid"),
        30001: (429, "Queue overflow"),
    }
)
_LATE: MappingProxyType[int, str] = MappingProxyType(
    {
        30003: "Unreachable destination handset",
        30004: "Message blocked",
        30005: "Unknown destination handset",
        30006: "Landline or unreachable carrier",
        30007: "Message filtered",
        30008: "Unknown error",
    }
)
_ERRORS = ErrorTable(
    _CODES,
    usual=MappingProxyType({401: AUTHENTICATE, 404: NOT_FOUND, 429: TOO_MANY_REQUESTS, 500: 20500}),
    refused=20001,
    failed=20503,
)

REFUSING = "1999"
"""No North American area code begins with 99, so no person has such a number."""
_ENDING = re.compile(r"[23]\d{4}$")


class Refusal(Exception):
    """A refusal in Twilio's format."""

    def __init__(self, code: int, message: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    def reply(self) -> Reply:
        """Twilio's error body."""
        return error_reply(None, self.code, self.message)


def error_reply(status: int | None, code: int | None, message: str = "") -> Reply:
    """An error; without a status that of the code, without a code that of the status."""
    status, code = _ERRORS.complete(status, code)
    body = {
        "code": code,
        "message": message or _ERRORS.title_of(code, "Error"),
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
        "status": status,
    }
    return json_reply(status, body, {"Retry-After": "1"} if status == 429 else {})


def is_late(code: int) -> bool:
    """Whether an accepted message can fail with this code."""
    return code in _LATE


def refused_at_once(number: str) -> int | None:
    """The code with which a message to `+19990021610` is refused: 21610."""
    code = _code_in(number) if number.startswith(f"+{REFUSING}") else None
    return code if code in _ERRORS else None


def fails_later(number: str) -> int | None:
    """The code with which a message to `+15550030003` fails after it was accepted: 30003."""
    code = _code_in(number) if not number.startswith(f"+{REFUSING}") else None
    return code if code in _LATE else None


def _code_in(number: str) -> int | None:
    ending = _ENDING.search(number)
    return int(ending[0]) if ending else None
