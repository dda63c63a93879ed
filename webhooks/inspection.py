"""What a request must pass, in this order: length, type, signature, JSON, envelope and time, schema. Pure.

spec.md, "Inbound": the order, the answers and the slugs. The steps before (limits, connection, method) and behind
(dedup) need state and are the receiver's and the committer's.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from integrations.signatures import SignatureError
from integrations.vendors.base import SchemaError
from webhooks.doors import Door
from wedsync import strict_json
from wedsync.problems import FieldProblem, Problem
from wedsync.strict_json import LARGEST

AHEAD = timedelta(seconds=300)
_EXPLAINED = {
    "signature-missing": "The request carries no signature. See the vendor's contract for the header.",
    "signature-malformed": "The signature's header can not be read. See the vendor's contract for its form.",
    "signature-mismatch": "The signature does not fit the body and the connection's secret.",
    "timestamp-outside-window": "The signature's time is more than 300 s away from ours.",
}


class Refused(Exception):
    """The request is answered with a problem, and nothing of it becomes an event."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.slug)
        self.problem = problem


@dataclass(frozen=True)
class Accepted:
    """A request that may be stored. ``event_type`` is ours, or ``None`` when it is unrecognised."""

    door: Door
    external_id: str
    body: bytes
    body_hash: bytes
    vendor_type: str
    event_type: str | None
    payload: dict[str, Any]
    occurred_at: datetime
    headers: dict[str, str]
    remote_address: str | None


def check_size(length: int) -> None:
    """Refuse bodies over 256 KiB."""
    if length > LARGEST:
        raise Refused(Problem(413, "body-too-large", f"The body may have at most {LARGEST} bytes."))


def check_type(headers: Mapping[str, Sequence[str]]) -> None:
    """Refuse anything but JSON."""
    given = (headers.get("content-type") or [""])[0].partition(";")[0].strip().lower()
    if given != "application/json":
        raise Refused(Problem(415, "unsupported-media-type", "Send the body as Content-Type: application/json."))


def inspect(
    door: Door, headers: Mapping[str, Sequence[str]], body: bytes, *, now: float, remote_address: str | None
) -> Accepted:
    """Everything from the signature on.

    Raises:
        Refused: with the answer for the sender.
    """
    try:
        door.vendor.signature.verify(headers, body, door.secrets, now)
    except SignatureError as error:
        raise Refused(Problem(401, error.slug, _EXPLAINED[error.slug])) from error
    try:
        envelope = strict_json.loads(body)
    except strict_json.NotStrictJson as error:
        raise Refused(Problem(400, "not-json", str(error))) from error
    external_id, vendor_type, occurred_at, payload = _open(envelope, door, now)
    if not strict_json.is_storable(envelope):
        raise _unprocessable([FieldProblem("payload", "holds a NUL or a lone surrogate")])
    event_type = door.vendor.event_type(vendor_type)
    if event_type is not None:
        try:
            payload = door.vendor.canonical(event_type, payload)
        except SchemaError as error:
            raise _unprocessable(error.problems) from error
    return Accepted(
        door=door,
        external_id=external_id,
        body=body,
        body_hash=hashlib.sha256(body).digest(),
        vendor_type=vendor_type,
        event_type=event_type,
        payload=payload,
        occurred_at=occurred_at,
        headers=_kept(headers),
        remote_address=remote_address,
    )


def _open(envelope: Any, door: Door, now: float) -> tuple[str, str, datetime, dict[str, Any]]:
    if not isinstance(envelope, dict):
        raise _bad_envelope("the body must be one JSON object")
    external_id, vendor_type = envelope.get("id"), envelope.get("eventType")
    if not isinstance(external_id, str) or not 1 <= len(external_id) <= 200:
        raise _bad_envelope("id must be a text of 1 to 200 characters")
    if not isinstance(vendor_type, str) or not 1 <= len(vendor_type) <= 100:
        raise _bad_envelope("eventType must be a text of 1 to 100 characters")
    payload = envelope.get("payload")
    if not isinstance(payload, dict):
        raise _bad_envelope("payload must be an object")
    occurred_at = _time(envelope.get("timestamp"))
    present = datetime.fromtimestamp(now, UTC)
    if occurred_at > present + AHEAD:
        raise _bad_envelope("timestamp lies more than 300 s ahead")
    if (present - occurred_at).total_seconds() > door.vendor.signature.oldest_body:
        raise _bad_envelope("timestamp is more than 7 days old")
    return external_id, vendor_type, occurred_at, payload


def _time(text: object) -> datetime:
    try:
        found = datetime.fromisoformat(str(text))
        if found.tzinfo is None:
            raise ValueError(text)
        return found.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise _bad_envelope(
            "timestamp must be ISO 8601 with an offset, for instance 2026-06-19T10:00:00+02:00"
        ) from error


def _bad_envelope(detail: str) -> Refused:
    return Refused(Problem(400, "bad-envelope", f"The envelope is not right: {detail}."))


def _unprocessable(problems: list[FieldProblem]) -> Refused:
    detail = f"The payload breaks the event type's schema. {FieldProblem.listed(problems[:5])}"
    return Refused(Problem(422, "schema-violation", detail, extra=FieldProblem.as_errors(problems[:50])))


def _kept(headers: Mapping[str, Sequence[str]]) -> dict[str, str]:
    names = ("content-type", "user-agent")
    return {name: headers[name][0][:300].replace("\x00", "") for name in names if headers.get(name)}
