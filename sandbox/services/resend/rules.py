"""Which emails Resend accepts, and the words with which it refuses the others.

https://resend.com/docs/api-reference/emails/send-email and https://resend.com/docs/api-reference/errors
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from types import MappingProxyType

from sandbox.wire import Json, Reply, json_reply

MOST_RECIPIENTS = 50
_ADDRESS = re.compile(r"[^\s<>@,;\"]+@(?P<domain>[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+)")
_NAMED = re.compile(r"[^<>]*<(?P<address>[^<>]+)>\s*")
_TAG = re.compile(r"[A-Za-z0-9_-]{1,256}")
_UNREACHABLE_DOMAINS = ("example.com", "test.com")
_NAME_OF_STATUS = MappingProxyType(
    {
        400: "validation_error",
        401: "missing_api_key",
        403: "invalid_api_key",
        404: "not_found",
        405: "method_not_allowed",
        409: "concurrent_idempotent_requests",
        422: "validation_error",
        429: "rate_limit_exceeded",
        451: "security_error",
        500: "internal_server_error",
    }
)
_STATUS_OF_NAME = MappingProxyType(
    {
        "validation_error": 422,
        "invalid_idempotency_key": 400,
        "missing_api_key": 401,
        "restricted_api_key": 401,
        "invalid_api_key": 403,
        "not_found": 404,
        "method_not_allowed": 405,
        "invalid_idempotent_request": 409,
        "concurrent_idempotent_requests": 409,
        "missing_required_field": 422,
        "invalid_attachment": 422,
        "invalid_from_address": 422,
        "invalid_access": 422,
        "invalid_parameter": 422,
        "invalid_region": 422,
        "rate_limit_exceeded": 429,
        "daily_quota_exceeded": 429,
        "monthly_quota_exceeded": 429,
        "security_error": 451,
        "application_error": 500,
        "internal_server_error": 500,
    }
)


class ResendRefusal(Exception):
    """A refusal: status, Resend's name for it, and a sentence."""

    def __init__(self, status: int, name: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.name = name
        self.message = message

    def reply(self, headers: dict[str, str] | None = None) -> Reply:
        """Resend's error body."""
        body = {"statusCode": self.status, "name": self.name, "message": self.message}
        return json_reply(self.status, body, headers)


def refusal_for_status(status: int | None, name: str | None) -> ResendRefusal:
    """A fault's answer: with that HTTP status, or with the one that Resend uses for the name, or 503."""
    if status is None:
        status = _STATUS_OF_NAME.get(name or "", 503)
    fallback = "application_error" if status >= 500 else "validation_error"
    return ResendRefusal(status, name or _NAME_OF_STATUS.get(status, fallback), "The sandbox was told to fail.")


def bare_address(value: Json) -> str | None:
    """The address in `a@b` or `Name <a@b>`, in lower case; None if it is neither."""
    if not isinstance(value, str):
        return None
    named = _NAMED.fullmatch(value)
    address = (named["address"] if named else value).strip()
    return address.lower() if _ADDRESS.fullmatch(address) else None


def recipients(body: dict[str, Json], name: str) -> list[str]:
    """The addresses in a field that may hold one or a list.

    Raises:
        ResendRefusal: 422 for an invalid address, or too many.
    """
    value = body.get(name) or []
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list) or len(listed) > MOST_RECIPIENTS:
        raise ResendRefusal(422, "validation_error", f"The `{name}` field takes up to {MOST_RECIPIENTS} addresses.")
    addresses = [bare_address(each) for each in listed]
    if None in addresses:
        raise ResendRefusal(
            422,
            "validation_error",
            f"Invalid `{name}` field. The email address needs to follow the `email@example.com` or "
            "`Name <email@example.com>` format.",
        )
    return [address for address in addresses if address]


def check_email(body: Json, domains: Sequence[str]) -> dict[str, Json]:
    """The email, if it is valid.

    Raises:
        ResendRefusal: naming the first mistake.
    """
    if not isinstance(body, dict):
        raise ResendRefusal(400, "validation_error", "The body must be a JSON object.")
    for name in ("from", "to", "subject"):
        if not body.get(name):
            raise ResendRefusal(422, "missing_required_field", f"Missing `{name}` field.")
    _check_sender(body["from"], domains)
    for name in ("to", "cc", "bcc", "reply_to"):
        _check_reachable(name, recipients(body, name))
    _check_content(body)
    _check_extras(body)
    return body


def _check_sender(sender: Json, domains: Sequence[str]) -> None:
    address = bare_address(sender)
    if address is None:
        message = (
            "Invalid `from` field. It needs to follow the `email@example.com` or `Name <email@example.com>` format."
        )
        raise ResendRefusal(422, "invalid_from_address", message)
    domain = address.rpartition("@")[2]
    if domain not in [each.lower() for each in domains]:
        message = f"The {domain} domain is not verified. Please, add and verify your domain."
        raise ResendRefusal(403, "validation_error", message)


def _check_reachable(name: str, addresses: list[str]) -> None:
    # Resend refuses these so that nobody ruins a sender's reputation with made-up addresses.
    if any(address.endswith("@" + domain) for address in addresses for domain in _UNREACHABLE_DOMAINS):
        message = f"Invalid `{name}` field. Please use our testing email address instead of domains like `example.com`."
        raise ResendRefusal(422, "validation_error", message)


def _check_content(body: dict[str, Json]) -> None:
    given = [name for name in ("html", "text") if body.get(name)]
    if any(not isinstance(body[name], str) for name in (*given, "subject")):
        raise ResendRefusal(422, "validation_error", "`subject`, `html` and `text` must be strings.")
    if body.get("template"):
        if given:
            raise ResendRefusal(422, "validation_error", "`template` excludes `html` and `text`.")
    elif not given:
        raise ResendRefusal(422, "missing_required_field", "Missing `html` or `text` field.")


def _check_extras(body: dict[str, Json]) -> None:
    headers, tags, attachments = body.get("headers") or {}, body.get("tags") or [], body.get("attachments") or []
    if not isinstance(headers, dict) or not all(isinstance(value, str) for value in headers.values()):
        raise ResendRefusal(422, "validation_error", "`headers` must be an object of strings.")
    if not isinstance(tags, list) or not all(_is_tag(tag) for tag in tags):
        message = "Tags should only contain ASCII letters, numbers, underscores, or dashes, up to 256 characters."
        raise ResendRefusal(422, "validation_error", message)
    if not isinstance(attachments, list) or not all(_is_attachment(each) for each in attachments):
        raise ResendRefusal(422, "invalid_attachment", "Attachment must have either a `content` or `path`.")


def _is_tag(tag: Json) -> bool:
    return isinstance(tag, dict) and all(
        isinstance(tag.get(name), str) and _TAG.fullmatch(tag[name]) for name in ("name", "value")
    )


def _is_attachment(attachment: Json) -> bool:
    return isinstance(attachment, dict) and bool(attachment.get("content") or attachment.get("path"))
