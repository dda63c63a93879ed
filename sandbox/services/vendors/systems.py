"""The vendors' systems: two kinds, each with its table of operations.

The vendors publish no API, so this contract is the product's own (docs/vendors/). All writes are alike: bearer token,
JSON, `Idempotency-Key`, Standard Webhooks signature; the table says where, and what the body must contain.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from urllib.parse import unquote

from sandbox.config import SandboxConfig, VendorConfig
from sandbox.services.vendors.reads import READS
from sandbox.signatures import SignatureRefused, check_standard_webhooks
from sandbox.storage.idempotency import Claim, KeyReused
from sandbox.storage.messages import Draft
from sandbox.wire import Call, Json, NotJson, Reply, json_reply
from sandbox.world import World


@dataclass(frozen=True)
class Write:
    """One write endpoint.

    `pattern` may capture `id`; otherwise the body's `id_field` names the record, or a new id is made.
    """

    method: str
    pattern: re.Pattern[str]
    kind: str
    status: int = 200
    id_field: str = "id"
    required: Mapping[str, type] = field(default_factory=dict)


def _write(method: str, path: str, kind: str, status: int = 200, id_field: str = "id", /, **required: type) -> Write:
    pattern = re.compile(path.replace("{id}", r"(?P<id>(?!timeline$)[^/]+)"))
    return Write(method, pattern, kind, status, id_field, MappingProxyType(required))


PHOTOGRAPHY: Sequence[Write] = (
    _write("POST", "/bookings/timeline", "timeline", 200, "booking_id", booking_id=str, changes=list),
    _write("POST", "/bookings", "booking", 201, "booking_id"),
    _write("PATCH", "/bookings/{id}", "booking"),
    _write("POST", "/galleries", "gallery", 201, "gallery_id"),
    _write("POST", "/clients", "client", 201, "client_id"),
    _write("PUT", "/clients/{id}", "client"),
)
VENUE: Sequence[Write] = (
    _write("PUT", "/events/{id}/guest-count", "event", guest_count=int),
    _write("POST", "/events/{id}/setup", "setup", kind=str),
    _write("POST", "/bookings", "booking", 201, "booking_id"),
    _write("PATCH", "/bookings/{id}", "booking"),
)
ENVELOPE = frozenset({"id", "type", "occurred_at", "sequence"})
"""What a call says about itself; these are not fields of the record."""
OPERATIONS: Mapping[str, Sequence[Write]] = MappingProxyType(
    {
        "studio_cloud": PHOTOGRAPHY,
        "shootq": PHOTOGRAPHY,
        "iris_works": PHOTOGRAPHY,
        "venue_master": VENUE,
        "party_rental": VENUE,
    }
)
_JSON_NAMES = MappingProxyType({str: "a string", int: "an integer", list: "an array"})


class VendorRefusal(Exception):
    """A refusal: status, a slug for programs, a sentence for people."""

    def __init__(self, status: int, error: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.error = error

    def reply(self) -> Reply:
        """The vendors' error body."""
        return json_reply(self.status, {"error": self.error, "message": str(self)})


class Vendor:
    """One vendor's system."""

    def __init__(self, slug: str, world: World) -> None:
        self.slug = slug
        self._world = world
        self._operations = OPERATIONS[slug]

    def exists(self, config: SandboxConfig) -> bool:
        """Whether the vendor is configured."""
        return config.vendor(self.slug) is not None

    def failure(self, status: int | None, code: int | str | None) -> Reply:
        """A fault in the vendors' error format."""
        return VendorRefusal(status or 503, str(code or "sandbox_fault"), "The sandbox was told to fail.").reply()

    def answer(self, call: Call) -> Reply:
        """Accept or refuse a request."""
        config = self._world.config.current().vendor(self.slug)
        assert config is not None
        try:
            _authenticate(call, config)
            if call.method == "GET":
                read = READS.get((self._operations is VENUE, call.path))
                if read is None:
                    raise VendorRefusal(404, "not_found", f"There is nothing at GET {call.path}.")
                return read(self._world.records, self.slug, call.query)
            write, record_id = self._find_write(call)
            return self._write_once(call, config, write, record_id)
        except VendorRefusal as refusal:
            return refusal.reply()

    def _find_write(self, call: Call) -> tuple[Write, str | None]:
        matches = [(write, write.pattern.fullmatch(call.path)) for write in self._operations]
        for write, match in matches:
            if match is not None and write.method == call.method:
                return write, _record_id(match)
        if any(match for _, match in matches):
            raise VendorRefusal(405, "method_not_allowed", f"{call.method} is not allowed at {call.path}.")
        raise VendorRefusal(404, "not_found", f"There is nothing at {call.method} {call.path}.")

    def _write_once(self, call: Call, config: VendorConfig, write: Write, record_id: str | None) -> Reply:
        if call.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise VendorRefusal(415, "unsupported_media_type", "Content-Type must be application/json.")
        _check_signature(call, config)
        body = _checked_body(call, write)
        key = call.headers.get("idempotency-key")
        if not key:
            return self._store(call, write, record_id, body)
        request = b"\0".join((call.method.encode(), call.path.encode(), call.body))
        claim = Claim(self.slug, key, hashlib.sha256(request).hexdigest())
        try:
            reply = self._world.idempotency.replay(claim)
        except KeyReused as error:
            message = "This Idempotency-Key was used before, for another request."
            raise VendorRefusal(409, "idempotency_key_reused", message) from error
        if reply is None:
            reply = self._store(call, write, record_id, body)
            self._world.idempotency.remember(claim, reply)
        return reply

    def _store(self, call: Call, write: Write, record_id: str | None, body: dict[str, Json]) -> Reply:
        named = body.get(write.id_field)
        chosen = record_id or (str(named) if isinstance(named, str | int) and named else None)
        chosen = chosen or f"{write.kind[:2]}_{secrets.token_hex(6)}"
        fields = {name: value for name, value in body.items() if name not in ENVELOPE}
        self._world.records.merge(self.slug, write.kind, chosen, fields)
        text = f"{call.method} {call.path}\n{json.dumps(body, indent=2, ensure_ascii=False)}"
        view = {"method": call.method, "kind": write.kind} | seen_on(call, body)
        self._world.messages.add(Draft(chosen, self.slug, self.slug, call.path, text, body, view=view), call)
        return json_reply(write.status, {"id": chosen, "status": "accepted"})


def seen_on(call: Call, body: Json) -> dict[str, Json]:
    """What the page shows next to a call: its event, its key, and with how many secrets it was signed."""
    said = body if isinstance(body, dict) else {}
    return {
        "event": said.get("type"),
        "sequence": said.get("sequence"),
        "signatures": len(call.headers.get("webhook-signature", "").split()),
        "idempotency_key": call.headers.get("idempotency-key"),
    }


def _record_id(match: re.Match[str]) -> str | None:
    captured = match.groupdict().get("id")
    return unquote(captured) if captured else None


def _authenticate(call: Call, config: VendorConfig) -> None:
    token = call.bearer()
    if token is None or not secrets.compare_digest(token.encode(), config.access_token.encode()):
        raise VendorRefusal(401, "unauthorized", "The access token is missing or unknown.")


def _check_signature(call: Call, config: VendorConfig) -> None:
    if not config.signing_secret:
        return
    try:
        check_standard_webhooks(config.signing_secret, dict(call.headers), call.body, call.received_at)
    except SignatureRefused as refused:
        raise VendorRefusal(401, "invalid_signature", f"{refused}.") from refused


def _checked_body(call: Call, write: Write) -> dict[str, Json]:
    try:
        body = call.json()
    except NotJson as error:
        raise VendorRefusal(400, "invalid_json", f"The body is not JSON: {error}.") from error
    if not isinstance(body, dict) or not body:
        raise VendorRefusal(400, "invalid_json", "The body must be a JSON object with at least one field.")
    for name, kind in write.required.items():
        if not isinstance(body.get(name), kind) or isinstance(body.get(name), bool):
            raise VendorRefusal(422, "invalid_field", f"{name} is required and must be {_JSON_NAMES[kind]}.")
    return body
