"""The descriptions of what the event loop serves below ``/api/``, which drf-spectacular cannot see.

docs/developers/realtime-streams.md.
"""

from __future__ import annotations

from typing import Any

from wedsync.live.channels import LONGEST_NAME, MOST_CHANNELS
from wedsync.live.streams.parameters import (
    AFTER,
    CHANNEL,
    CURSOR,
    EPOCH,
    LARGEST_LIMIT,
    LIMIT,
    LONGEST_WAIT,
    ORGANIZATION,
    USUAL_LIMIT,
    WAIT,
)
from wedsync.wire.problems import MEDIA_TYPE, TITLES

STREAM, HISTORY = "/api/channels/events/", "/api/channels/{name}/events/"
_SEQUENCE = {"type": "integer", "minimum": 0}
_HOW = (
    "With an API key of the scope `live:read`, a ticket or a stream's token as bearer, or the session of staff with "
    "`Sec-Fetch-Site: same-origin`. Not compressed; counts as an open connection.\n\nScope: `live:read`."
)
_REFUSALS = {
    400: "A parameter is unknown or cannot be read, a name is none, or the cursor was damaged.",
    401: "No key, ticket, token or session, or one that is unknown, used or expired.",
    403: "A channel is not open to the caller, or the key lacks the scope.",
    429: "Too many requests of the key in this minute, or too many open connections of the key, person or address.",
    503: "PostgreSQL is away, or the process is full; see `Retry-After`.",
}


def describe(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """A postprocessing hook of drf-spectacular."""
    for path, operation in ((STREAM, _stream()), (HISTORY, _history())):
        result["paths"].setdefault(path, {})["get"] = operation
    result["paths"] = dict(sorted(result["paths"].items()))
    return result


def _stream() -> dict[str, Any]:
    about = (
        "Follow channels as Server-Sent Events. Each event's `id` is a cursor of all channels of the stream; with it "
        "as `Last-Event-ID` or `last_event_id` the next stream goes on right after it. Events named `subscribed`, "
        "`unrecoverable`, `token` and `end` say how the stream stands."
    )
    channels = {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": MOST_CHANNELS}
    named = "Names of channels, each optionally with a place: `<name>@<sequence>` or `<name>@<sequence>.<epoch>`."
    text = {"type": "string"}
    content = {"text/event-stream": {"schema": {"type": "string"}}}
    return _operation(
        "channels_events_stream",
        about,
        [
            {**_in_query(CHANNEL, channels, named), "required": True, "explode": True},
            _in_query(CURSOR, text, "The `id` of the last event."),
            {**_in_query("Last-Event-ID", text, "The same; counts more."), "in": "header"},
            _in_query(ORGANIZATION, text, "Of staff: the slug of one of several organizations."),
        ],
        {"description": "The stream, which lasts at most ten minutes.", "content": content},
    )


def _history() -> dict[str, Any]:
    about = "Read a channel's log, oldest first, or wait for its next event."
    name = {"name": "name", "in": "path", "required": True, "schema": {"type": "string", "maxLength": LONGEST_NAME}}
    limit = {"type": "integer", "minimum": 1, "maximum": LARGEST_LIMIT, "default": USUAL_LIMIT}
    wait = {"type": "integer", "minimum": 0, "maximum": LONGEST_WAIT, "default": 0}
    page = {
        "type": "object",
        "required": ["events", "epoch", "last", "oldest", "recovered"],
        "properties": {
            "events": {"type": "array", "items": _event()},
            "epoch": {"type": "string"},
            "last": {**_SEQUENCE, "description": "Of the channel's last event."},
            "oldest": {**_SEQUENCE, "description": "Of the first event that the log has."},
            "recovered": {"type": "boolean", "description": "False: the log lacks something after `after`."},
        },
    }
    return _operation(
        "channels_events_list",
        about,
        [
            name,
            _in_query(AFTER, _SEQUENCE, "The last sequence that you have; omitted: from the oldest event."),
            _in_query(EPOCH, {"type": "string"}, "The epoch that it belongs to."),
            _in_query(LIMIT, limit, "Events per page."),
            _in_query(WAIT, wait, "Seconds to wait for the next event if there is none."),
            _in_query(ORGANIZATION, {"type": "string"}, "Of staff: the slug of one of several organizations."),
        ],
        {"description": "A page.", "content": {"application/json": {"schema": page}}},
    )


def _event() -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["op", "channel", "sequence", "event"],
        "properties": {
            "op": {"type": "string", "enum": ["event"]},
            "channel": {"type": "string"},
            "sequence": {"type": "integer", "minimum": 1},
            "event": {"type": "object", "additionalProperties": True},
        },
    }


def _in_query(name: str, schema: dict[str, Any], about: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "description": about, "schema": schema}


def _operation(
    operation_id: str, about: str, parameters: list[dict[str, Any]], answer: dict[str, Any]
) -> dict[str, Any]:
    problem = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemShape"}}}
    refusals = {
        str(code): {"description": f"{TITLES[code]}. {why}", "content": problem} for code, why in _REFUSALS.items()
    }
    return {
        "operationId": operation_id,
        "description": f"{about}\n\n{_HOW}",
        "parameters": parameters,
        "tags": ["channels"],
        "security": [{"apiKey": []}],
        "responses": {"200": answer, **refusals},
    }
