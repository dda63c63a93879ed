"""The payload of an event after it was applied: with what we knew before, and the values as the wedding keeps them.

Whatever we tell about a field of the wedding is therefore what the wedding holds; see docs/adr/0068. Pure.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from wedsync.weddings.changes import ChangeResult, FieldChange


def told(payload: Mapping[str, Any], written: Sequence[FieldChange]) -> dict[str, Any]:
    """The payload of an event after its changes were written.

    A change of a timeline's field that was older than what we know is told to nobody: it moves to ``extra.stale``.
    """
    by_field = {change.field: change for change in written}
    if "changes" in payload:
        return _timeline(payload, by_field)
    before = {name: change.before for name, change in by_field.items() if change.before is not None}
    if not before:
        return dict(payload)
    (known,) = before.values()
    return {"previous": known, **payload, "before": known}


def _timeline(payload: Mapping[str, Any], written: Mapping[str, FieldChange]) -> dict[str, Any]:
    changes, stale = [], []
    for reported in payload["changes"]:
        change = written.get(reported["field"])
        if change is None:
            changes.append(reported)
        elif change.outcome == ChangeResult.STALE:
            stale.append(reported)
        else:
            before = reported.get("before") if change.before is None else change.before
            changes.append({**reported, "before": before, "after": change.after})
    extra = {"extra": {**payload.get("extra", {}), "stale": stale}} if stale else {}
    return {**payload, "changes": changes, **extra}


def before_in(payload: Mapping[str, Any]) -> Any:
    """What the wedding held before; if we knew nothing, the previous value that the sender gave."""
    known = payload.get("before")
    return payload.get("previous") if known is None else known
