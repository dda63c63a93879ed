"""Several changes of one thing, told as one: from the first one's before to the last one's after. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from integrations.rules.known_before import before_in
from integrations.rules.state_events import state_set_by

_VALUES = ("guest_count", "capacity", "date")
"""What an event sets with its value of before beside it, as ``previous``."""


def subject_of(event_type: str, payload: Mapping[str, Any], source: str = "") -> str:
    """What an event changes, such as ``booking.updated:BK-77``; empty where it sets no state and each one counts.

    ``source``: the system that says so. What is planned at the venue comes from several suppliers, and one's plans do
    not replace another's.
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
    """One payload for several of the same subject, oldest first: what each sets, and of what several set the last.

    A field of a timeline that is what it was at first is left out, unless nothing else would be left.
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
    """Whether several changes end where they began, as far as the events say where that was."""
    if len(payloads) < 2:
        return False
    whole = merged(payloads)
    if "changes" in whole:
        return not whole.get("schedule") and all(_undone(change) for change in whole["changes"])
    before = before_in(whole)
    return before is not None and any(whole.get(name) == before for name in _VALUES)


def _first_of_each(befores: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Of a client, what each field held before it was first changed."""
    found: dict[str, Any] = {}
    for before in befores:
        found = {**before, **found}
    return found


def _changes(payloads: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One for each field, in the order in which they were first named."""
    fields: dict[str, dict[str, Any]] = {}
    for payload in payloads:
        for change in payload.get("changes") or ():
            first = fields.get(change["field"], change)
            fields[change["field"]] = {**change, "before": first.get("before")}
    return list(fields.values())


def _undone(change: Mapping[str, Any]) -> bool:
    return change.get("before") is not None and change["before"] == change["after"]
