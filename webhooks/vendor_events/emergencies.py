"""Emergencies that cannot be taken as they are: recognised, and read as far as anything in them can be read. Pure.

What is refused here still alerts staff (``webhooks.vendor_events.emergency_alarms``), so nothing in this module is
strict: broken JSON, NUL and missing parts leave whatever stands beside them.
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
_TYPE_NAMES = ("eventType", "event_type", "event-type", "event type", "type", "event")  # the first one is right
_TYPE = re.compile(rb'"(?:event[_ -]?type|type|event)"\s*:\s*"((?:[^"\\]|\\.)*)', re.IGNORECASE)
_SEPARATORS = re.compile(rb"[\W_]+")
_PAIR = re.compile(r'"(\w{1,60})"\s*:\s*(?:"((?:[^"\\]|\\.)*)|(-?\d{1,40}))')


@dataclass(frozen=True)
class EmergencyReading:
    """What could be read of an emergency: the sender's id and type, and the payload in our names."""

    external_id: str
    vendor_type: str
    payload: Mapping[str, Any] = field(default_factory=dict)


def may_be_one(body: bytes) -> bool:
    """Whether it is worth the check of a signature to find out; a look at the bytes, which misses none."""
    types = _TYPE.findall(_in_one_byte(body))
    if not types:
        return b"\\u" in body
    return any(b"\\" in each or b"emergency" in _SEPARATORS.sub(b"", each.lower()) for each in types)


def read(vendor: Vendor, body: bytes) -> EmergencyReading | None:
    """What a refused body says of an emergency; ``None``: it reports none, as far as can be seen."""
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
    """UTF-16 and UTF-32 as far as they say what ASCII can: enough to see what it is about."""
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
    return _pairs(text)  # a list of events, or an envelope within something else


def _pairs(text: str) -> dict[str, Any]:
    """Names with texts and numbers, wherever they stand in what is no JSON."""
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
    """A part of the envelope, in whatever capitals."""
    if name in content:
        return content[name]
    return next((value for key, value in content.items() if key.casefold() == name.casefold()), None)


def _type(content: Mapping[str, Any]) -> str:
    """The type of what it reports, by whatever name."""
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
