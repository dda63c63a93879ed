"""Merges several changes of one thing: from the value before the first to the value after the last. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from integrations.rules.known_before import before_in
from integrations.rules.state_events import state_set_by

_VALUES = ("guest_count", "capacity", "date")
"""The fields whose former value an event gives as ``previous``."""


def subject_of(event_type: str, payload: Mapping[str, Any], source: str = "") -> str:
    """What an event changes, such as ``booking.updated:BK-77``; empty where it sets no state and each event counts.

    ``source``: the system that sent it. Plans at the venue come from several suppliers, and one supplier's plans do not
    replace another's.
    """
    if not state_set_by(event_type, payload):
        return ""
    if event_type.startswith("booking."):
        return f"{event_type}:{payload['booking_id']}"
    if event_type == "client.updated":
        return f"{event_type}:{payload['client_id']}"
    if event_type.startswith("venue.") and "capacity" not in payload:
        return ":".join(part for part in (event_type, source, payload.get("booking_id")) if part)
    return event_type


def merged(payloads: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One payload for several of the same subject, oldest first: all that they set; of a field set twice, the last.

    A timeline field that is back at its first value is left out, unless nothing else would be left.
    """
    whole: dict[str, Any] = {}
    for payload in payloads:
        whole |= {name: value for name, value in payload.items() if value is not None}
    for name in ("previous", "before"):
        whole.pop(name, None)
        if (first := payloads[0].get(name)) is not None:
            whole[name] = first
    if any(isinstance(payload.get("before"), Mapping) for payload in payloads):
        whole["before"] = _first_of_each(payload.get("before") or {} for payload in payloads)
    if "changes" in whole:
        changes = _changes(payloads)
        whole["changes"] = [change for change in changes if not _undone(change)] or changes
    return whole


def came_to_nothing(payloads: Sequence[Mapping[str, Any]]) -> bool:
    """Whether several changes end where they began, as far as the events say."""
    if len(payloads) < 2:
        return False
    whole = merged(payloads)
    if "changes" in whole:
        return not whole.get("schedule") and all(_undone(change) for change in whole["changes"])
    before = before_in(whole)
    return before is not None and any(whole.get(name) == before for name in _VALUES)


def _first_of_each(befores: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """What each of a client's fields held before its first change."""
    found: dict[str, Any] = {}
    for before in befores:
        found = {**before, **found}
    return found


def _changes(payloads: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One change per field, in the order in which the fields were first named."""
    fields: dict[str, dict[str, Any]] = {}
    for payload in payloads:
        for change in payload.get("changes") or ():
            first = fields.get(change["field"], change)
            fields[change["field"]] = {**change, "before": first.get("before")}
    return list(fields.values())


def _undone(change: Mapping[str, Any]) -> bool:
    return change.get("before") is not None and change["before"] == change["after"]
