"""Recognises emergencies in refused requests, and reads as much of them as possible. Pure.

Refused emergencies still alert staff (``webhooks.vendor_events.emergency_alarms``), so nothing in this module is
strict: broken JSON, NUL and missing parts do not prevent the rest from being read.
"""

import json
import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from integrations.vendors.base import SchemaError, Vendor
from wedsync.live.event_types.catalogue import EMERGENCY
from wedsync.wire.plain_text import clean_text

LONGEST_ID = 200
_TYPE_NAMES = ("eventType", "event_type", "event-type", "event type", "type", "event")  # the first one is correct
_TYPE = re.compile(rb'"(?:event[_ -]?type|type|event)"\s*:\s*"((?:[^"\\]|\\.)*)', re.IGNORECASE)
_SEPARATORS = re.compile(rb"[\W_]+")
_PAIR = re.compile(r'"(\w{1,60})"\s*:\s*(?:"((?:[^"\\]|\\.)*)|(-?\d{1,40}))')


@dataclass(frozen=True)
class EmergencyReading:
    """The readable parts of an emergency: the sender's id and type, and the payload in our names."""

    external_id: str
    vendor_type: str
    payload: Mapping[str, Any] = field(default_factory=dict)


def may_be_one(body: bytes) -> bool:
    """Whether a body may report an emergency, so that its signature is worth checking; misses none."""
    types = _TYPE.findall(_in_one_byte(body))
    if not types:
        return b"\\u" in body
    return any(b"\\" in each or b"emergency" in _SEPARATORS.sub(b"", each.lower()) for each in types)


def read(vendor: Vendor, body: bytes) -> EmergencyReading | None:
    """The emergency that a refused body reports; ``None``: it reports none, as far as it can be read."""
    content = _content(_in_one_byte(body))
    vendor_type = _type(content)
    if vendor.event_type(vendor_type) != EMERGENCY:
        return None
    named, payload = _part(content, "id"), _part(content, "payload")
    return EmergencyReading(
        external_id=_id(named),
        vendor_type=clean_text(vendor_type)[:100],
        payload=_in_our_names(vendor, payload if isinstance(payload, dict) else {}),
    )


def _in_one_byte(body: bytes) -> bytes:
    """The ASCII characters of UTF-16 and UTF-32, which are enough to recognise an emergency."""
    if b"\x00" not in body[:8]:
        return body
    return body.removeprefix(BOM_UTF16_LE).removeprefix(BOM_UTF16_BE).replace(b"\x00", b"")


def _content(body: bytes) -> dict[str, Any]:
    text = body.removeprefix(BOM_UTF8).decode("utf-8", "replace")
    try:
        content = json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return _pairs(text)
    if isinstance(content, dict) and _type(content):
        return content
    return _pairs(text)  # a list of events, or an envelope inside another object


def _pairs(text: str) -> dict[str, Any]:
    """Names with texts and numbers, anywhere in a text that is not JSON."""
    found: dict[str, Any] = {}
    for name, written, number in _PAIR.findall(text):
        value = number or _unescaped(written)
        if name not in found or (name == "eventType" and "emergency" not in found[name] and "emergency" in value):
            found[name] = value
    payload = {name: value for name, value in found.items() if name not in {"id", "eventType", "timestamp"}}
    return {**found, "payload": payload}


def _unescaped(written: str) -> str:
    try:
        text: str = json.loads(f'"{written}"', strict=False)
    except ValueError:
        return written
    return text


def _part(content: Mapping[str, Any], name: str) -> Any:
    """A part of the envelope, whatever the capitals of its name."""
    if name in content:
        return content[name]
    return next((value for key, value in content.items() if key.casefold() == name.casefold()), None)


def _type(content: Mapping[str, Any]) -> str:
    """The event's type, whatever its field is called."""
    named = (_part(content, name) for name in _TYPE_NAMES)
    return next((each for each in named if isinstance(each, str) and each.strip()), "")


def _id(named: object) -> str:
    text = str(named) if isinstance(named, str | int) and not isinstance(named, bool) else ""
    return clean_text(text).strip()[:LONGEST_ID]


def _in_our_names(vendor: Vendor, payload: dict[str, Any]) -> Mapping[str, Any]:
    try:
        return vendor.canonical(EMERGENCY, payload)
    except (SchemaError, ValueError, RecursionError):
        return {}
