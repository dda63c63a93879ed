"""The whole description.

https://www.asyncapi.com/docs/reference/specification/v3.1.0
"""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from wedsync.api.asyncapi.events import events, payloads
from wedsync.api.asyncapi.operations import Described, described
from wedsync.api.asyncapi.schemas import TEXT, Schema, a, common
from wedsync.api.asyncapi.streams import told
from wedsync.live.close_codes import CloseCode
from wedsync.live.sockets.subprotocol import SUBPROTOCOL

VERSION = "3.1.0"
SOCKET, STREAM = "socket", "stream"
_PUSHED = {"event": "An event of a channel.", "presence.change": "Who has come to a channel and who has left."}
_ABOUT = f"""\
Events of weddings as they happen, over a WebSocket with the subprotocol `{SUBPROTOCOL}`, or as Server-Sent Events. Each
channel numbers its events 1, 2, 3, ... without a gap, so a client knows what it has and goes on from there. One JSON
object per message.

Close codes from 3000 to 3499 mean "reconnect", those from 3500 to 3999 "do not".
"""
_SECURITY_SCHEMES = {
    "ticket": {
        "type": "httpApiKey",
        "in": "query",
        "name": "ticket",
        "description": "From `POST /api/channels/tickets/`; opens one socket, once.",
    },
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API key, a ticket, or the token of the stream before.",
    },
}


def document(url: str) -> dict[str, Any]:
    """The description of a copy that is reached at this URL."""
    parts = urlsplit(url)
    found = described()
    return {
        "asyncapi": VERSION,
        "info": {
            "title": "WedSync's live channels",
            "version": settings.SPECTACULAR_SETTINGS["VERSION"],
            "description": _ABOUT,
        },
        "defaultContentType": "application/json",
        "servers": {
            SOCKET: {
                "host": parts.netloc,
                "protocol": "wss" if parts.scheme == "https" else "ws",
                "security": [{"$ref": "#/components/securitySchemes/ticket"}],
            },
            STREAM: {
                "host": parts.netloc,
                "protocol": parts.scheme,
                "security": [{"$ref": "#/components/securitySchemes/bearer"}],
            },
        },
        "channels": {SOCKET: _socket(found), STREAM: _stream()},
        "operations": _operations(found),
        "components": {
            "messages": {**_messages(found), **_told()},
            "schemas": {
                **common(),
                **_of_operations(found),
                **{_of_stream(name): schema for name, schema in told().items()},
                **events(),
                **payloads(),
            },
            "securitySchemes": _SECURITY_SCHEMES,
        },
    }


def _socket(found: Any) -> Schema:
    query = a(
        {"ticket": TEXT, "organization": TEXT | {"description": "For signed-in staff."}}, "ticket", "organization"
    )
    return {
        "address": "/ws/channels/",
        "servers": [{"$ref": f"#/servers/{SOCKET}"}],
        "description": "One socket follows any number of channels, up to its limit.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in _messages(found)},
        "bindings": {"ws": {"method": "GET", "query": query, "bindingVersion": "0.1.0"}},
        "x-subprotocol": SUBPROTOCOL,
        "x-close-codes": [
            {"code": int(code), "when": code.when, "come_again": not code.is_final} for code in CloseCode
        ],
    }


def _stream() -> Schema:
    return {
        "address": "/api/channels/events/",
        "servers": [{"$ref": f"#/servers/{STREAM}"}],
        "description": "Server-Sent Events of up to 128 channels, with an `id` that resumes all of them.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in ("event", *_told())},
    }


def _of_stream(name: str) -> str:
    return f"stream.{name}"


def _told() -> Schema:
    return {
        _of_stream(name): {"name": name, "payload": {"$ref": f"#/components/schemas/{_of_stream(name)}"}}
        for name in told()
    }


def _operations(found: Any) -> Schema:
    channel = {"$ref": f"#/channels/{SOCKET}"}
    asked = {
        name: {
            "action": "receive",
            "channel": channel,
            "summary": each.summary,
            "messages": [_message(name)],
            "reply": {"channel": channel, "messages": [_message(f"{name}.answer"), _message("refusal")]},
        }
        for name, each in found.items()
    }
    pushed = {
        name: {"action": "send", "channel": channel, "summary": summary, "messages": [_message(name)]}
        for name, summary in _PUSHED.items()
    }
    query = {"channel": {"type": "array", "items": TEXT, "minItems": 1}, "last_event_id": TEXT, "organization": TEXT}
    stream = {
        "action": "send",
        "channel": {"$ref": f"#/channels/{STREAM}"},
        "summary": "Events of the channels that the URL names.",
        "messages": [_message(name, STREAM) for name in ("event", *_told())],
        "bindings": {
            "http": {
                "method": "GET",
                "query": a(query, "last_event_id", "organization"),
                "bindingVersion": "0.3.0",
            }
        },
    }
    return {**asked, **pushed, STREAM: stream}


def _message(name: str, channel: str = SOCKET) -> Schema:
    return {"$ref": f"#/channels/{channel}/messages/{name}"}


def _messages(found: Any) -> Schema:
    same_id = {"location": "$message.payload#/id"}
    messages: Schema = {}
    for name, each in found.items():
        for kind, example in zip((name, f"{name}.answer"), each.example, strict=True):
            messages[kind] = _described(kind) | {"correlationId": same_id, "examples": [{"payload": example}]}
    told = {name: _described(name) for name in _PUSHED}
    return {**messages, "refusal": _described("refusal") | {"correlationId": same_id}, **told}


def _described(name: str) -> Schema:
    schema = name if name in {"refusal", *_PUSHED} else _schema_name(name)
    return {"name": name, "payload": {"$ref": f"#/components/schemas/{schema}"}}


def _of_operations(found: Any) -> dict[str, Schema]:
    def both(name: str, each: Described) -> dict[str, Schema]:
        return {_schema_name(name): each.request, _schema_name(f"{name}.answer"): each.answer}

    return {name: schema for operation, each in found.items() for name, schema in both(operation, each).items()}


def _schema_name(message: str) -> str:
    return message if message.endswith(".answer") else f"{message}.request"
