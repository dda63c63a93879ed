"""The envelope of a vendor's event: JSON, its fields, its time, and the payload's schema. Pure."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from integrations.vendors.base import SchemaError, Vendor
from webhooks.doors import Door
from webhooks.requests.refusals import Refused
from wedsync.correlation import current_or_new
from wedsync.wire import strict_json
from wedsync.wire.problems import FieldProblem, Problem
from wedsync.wire.written_times import read_instant

AHEAD = 300.0  # seconds
OLDEST = 366 * 86_400.0  # seconds; older times come from a broken clock, like future ones


@dataclass(slots=True)
class Envelope:
    """A valid body: the vendor's id and type, our type (``None``: unrecognised) and payload."""

    external_id: str
    vendor_type: str
    event_type: str | None
    occurred_at: datetime
    payload: dict[str, Any]


@dataclass(slots=True)
class Accepted:
    """A request to store. ``older_secret_id``: the secret that signed it, if that is not the newest.

    ``receipt_id``: the receipt under which it was stored before, when it could not become an event.
    """

    door: Door
    envelope: Envelope
    body: bytes
    headers: dict[str, str]
    remote_address: str | None
    older_secret_id: str | None = None
    receipt_id: str | None = None
    correlation_id: UUID = field(default_factory=current_or_new)


def open_body(vendor: Vendor, body: bytes, now: float) -> Envelope:
    """The envelope in a signed body, with the payload in our names.

    Arguments:
        now: when the request arrived, in Unix seconds; the envelope's own time is compared with it.

    Raises:
        Refused: it is not JSON or not an envelope, is outside the window, or breaks its schema.
    """
    try:
        content = strict_json.loads(body)
    except strict_json.NotStrictJson as error:
        raise Refused(Problem(400, "not-json", str(error))) from error
    external_id, vendor_type, occurred_at, payload = _read(content)
    _check_window(occurred_at.timestamp() - now, vendor.signature.oldest_body)
    if b"\\u" in body and not strict_json.is_storable(content):  # only an escape can produce either
        raise _unprocessable([FieldProblem("payload", "contains a NUL or a lone surrogate")])
    event_type = vendor.event_type(vendor_type)
    if event_type is not None:
        try:
            payload = vendor.canonical(event_type, payload)
        except SchemaError as error:
            raise _unprocessable(error.problems, external_id, vendor_type) from error
    return Envelope(external_id, vendor_type, event_type, occurred_at, payload)


def _read(content: Any) -> tuple[str, str, datetime, dict[str, Any]]:
    if not isinstance(content, dict):
        raise _bad_envelope("the body must be one JSON object")
    external_id, vendor_type, payload = content.get("id"), content.get("eventType"), content.get("payload")
    if isinstance(external_id, int) and not isinstance(external_id, bool):
        external_id = str(external_id)
    if not isinstance(external_id, str) or not 1 <= len(external_id) <= 200:
        raise _bad_envelope("id must be text of 1 to 200 characters")
    if not isinstance(vendor_type, str) or not 1 <= len(vendor_type) <= 100:
        raise _bad_envelope("eventType must be text of 1 to 100 characters")
    if not isinstance(payload, dict):
        raise _bad_envelope("payload must be an object")
    return external_id, vendor_type, _time(content.get("timestamp")), payload


def _time(text: object) -> datetime:
    try:
        return read_instant(text)
    except ValueError as error:
        raise _bad_envelope(f"timestamp {error}") from error


def _check_window(ahead: float, oldest: float) -> None:
    if ahead > AHEAD:
        raise _bad_envelope("timestamp is more than 300 s ahead")
    if -ahead > oldest:
        raise _bad_envelope("timestamp is more than 7 days old")
    if -ahead > OLDEST:
        raise _bad_envelope("timestamp is more than a year old")


def _bad_envelope(detail: str) -> Refused:
    return Refused(Problem(400, "bad-envelope", f"The envelope is invalid: {detail}."))


def _unprocessable(problems: list[FieldProblem], external_id: str = "", vendor_type: str = "") -> Refused:
    detail = f"The payload breaks the event type's schema. {FieldProblem.listed(problems[:5])}"
    problem = Problem(422, "schema-violation", detail, extra=FieldProblem.as_errors(problems[:50]))
    return Refused(problem, external_id, vendor_type)
