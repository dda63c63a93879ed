"""Meta's error bodies and codes.

https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from types import MappingProxyType

from sandbox.services.error_tables import ErrorTable
from sandbox.wire import Reply, json_reply

ACCESS_TOKEN = 190
INVALID_PARAMETER = 100
THROUGHPUT = 130429
GENERIC = 131000
PARAMETER_MISSING = 131008
PARAMETER_INVALID = 131009
RECIPIENT_IS_SENDER = 131021
WINDOW_CLOSED = 131047
UNSUPPORTED_TYPE = 131051
PAIR_RATE = 131056
PARAMETER_COUNT = 132000
TEMPLATE_MISSING = 132001
TEXT_TOO_LONG = 132005
PARAMETER_FORMAT = 132012
TEMPLATE_PAUSED = 132015
TEMPLATE_DISABLED = 132016

_CODES: MappingProxyType[int, tuple[int, str]] = MappingProxyType(
    {
        0: (401, "AuthException"),
        1: (500, "API Unknown"),
        2: (503, "Service temporarily unavailable"),
        3: (500, "API Method"),
        4: (429, "Application request limit reached"),
        10: (403, "Application does not have permission for this action"),
        100: (400, "Invalid parameter"),
        190: (401, "Invalid OAuth access token - Cannot parse access token"),
        368: (403, "Temporarily blocked for policies violations"),
        80007: (429, "Rate limit issues"),
        130429: (429, "Rate limit hit"),
        130472: (400, "User's number is part of an experiment"),
        130497: (403, "Business account is restricted from messaging users in this country"),
        131000: (500, "Something went wrong"),
        131005: (403, "Access denied"),
        131008: (400, "Required parameter is missing"),
        131009: (400, "Parameter value is not valid"),
        131016: (500, "Service unavailable"),
        131021: (400, "Recipient cannot be sender"),
        131026: (400, "Message undeliverable"),
        131030: (400, "Recipient phone number not in allowed list"),
        131031: (403, "Account has been locked"),
        131042: (400, "Business eligibility payment issue"),
        131047: (400, "Re-engagement message"),
        131048: (429, "Spam rate limit hit"),
        131049: (400, "This message was not delivered to maintain healthy ecosystem engagement"),
        131050: (400, "User has stopped receiving marketing messages"),
        131051: (400, "Unsupported message type"),
        131056: (429, "(Business Account, Consumer Account) pair rate limit hit"),
        132000: (400, "Number of parameters does not match the expected number of params"),
        132001: (404, "Template name does not exist in the translation"),
        132005: (400, "Translated text too long"),
        132007: (400, "Template format character policy violated"),
        132012: (400, "Parameter format does not match format in the created template"),
        132015: (400, "Template is paused"),
        132016: (400, "Template is disabled"),
        133010: (400, "Account not registered"),
    }
)
_ERRORS = ErrorTable(
    _CODES,
    usual=MappingProxyType({400: 100, 401: 190, 403: 131005, 404: 132001, 429: 130429, 500: 131000, 503: 131016}),
    refused=INVALID_PARAMETER,
    failed=GENERIC,
)


@dataclass(eq=False)
class GraphError(Exception):
    """A refusal: Meta's code, details for people, and a subcode if Meta gives one."""

    code: int
    details: str
    subcode: int | None = None
    title: str = ""
    """The title of the mistake that Meta shows to people, if it shows any."""

    @property
    def status(self) -> int:
        """The HTTP status of the code."""
        return _ERRORS.status_of(self.code, 400)

    def reply(self, status: int | None = None) -> Reply:
        """Meta's error body."""
        title = title_of(self.code)
        error = {
            "message": title if self.code in (ACCESS_TOKEN, 0) else f"(#{self.code}) {title}",
            "type": "OAuthException",
            "code": self.code,
            "error_data": {"messaging_product": "whatsapp", "details": self.details},
            "fbtrace_id": "A" + secrets.token_urlsafe(16),
        }
        if self.subcode is not None:
            error["error_subcode"] = self.subcode
        if self.title:
            error |= {"error_user_title": self.title, "error_user_msg": self.details}
        return json_reply(status or self.status, {"error": error})


def title_of(code: int) -> str:
    """Meta's title for a code."""
    return _ERRORS.title_of(code, "Unknown error")


def is_known(code: int) -> bool:
    """Whether Meta's list has the code."""
    return code in _ERRORS


def error_for_status(status: int | None, code: int | None) -> Reply:
    """A fault's answer: with that HTTP status, or with the one that Meta uses for the code, or 503."""
    status, code = _ERRORS.complete(status, code)
    return GraphError(code, "The sandbox was told to fail.").reply(status)
