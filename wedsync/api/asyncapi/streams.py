"""What a stream of Server-Sent Events tells besides events, as schemas by the events' names."""

from collections.abc import Mapping

from wedsync.api.asyncapi.schemas import EPOCH, NAME, SEQUENCE, TEXT, Schema, a, common
from wedsync.live.close_codes import CloseCode


def told() -> Mapping[str, Schema]:
    """The ``data`` of each named event."""
    position = {name: schema for name, schema in common()["position"]["properties"].items() if name != "ok"}
    places = {"type": "object", "additionalProperties": a(position, "recovered", "oldest")}
    lost = {"channel": NAME, "epoch": EPOCH, "last": SEQUENCE, "recovered": {"const": False}, "oldest": SEQUENCE}
    end = {
        "code": {"enum": [int(code) for code in CloseCode]},
        "reason": TEXT,
        "again": {"type": "boolean", "description": "Whether reconnecting helps."},
        "come_back_after": {"type": "number", "description": "In seconds, if the process is about to be replaced."},
    }
    return {
        "subscribed": a({"channels": places}),
        "unrecoverable": a(lost),
        "token": a({"token": TEXT, "expires_at": TEXT | {"format": "date-time"}}),
        "end": a(end, "come_back_after"),
    }
