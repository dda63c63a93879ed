"""Small JSON schemas, and those that many messages share."""

from typing import Any

from wedsync.live.access.bearers import PersonKind
from wedsync.live.channels import LONGEST_NAME
from wedsync.live.error_codes import ErrorCode
from wedsync.live.sockets.operations.requests import LONGEST_ID

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
TRUE: Schema = {"const": True}
SEQUENCE: Schema = {"type": "integer", "minimum": 0}
EPOCH: Schema = {"type": "string", "description": "Changes when a channel's sequences begin anew."}
NAME: Schema = {
    "type": "string",
    "maxLength": LONGEST_NAME,
    "description": "`scope:entity:id`, each of 1 to 64 letters, digits, `-` or `_`.",
}
ID: Schema = {"description": f"Yours, of at most {LONGEST_ID} characters as JSON; the answer carries it back."}


def ref(name: str) -> Schema:
    """A reference to one of the document's schemas."""
    return {"$ref": f"#/components/schemas/{name}"}


def a(properties: Schema, *optional: str) -> Schema:
    """An object with exactly these properties, of which the ``optional`` ones may be missing."""
    required = [name for name in properties if name not in optional]
    return {
        "type": "object",
        "properties": properties,
        **({"required": required} if required else {}),
        "additionalProperties": False,
    }


def request(operation: str, properties: Schema, *optional: str) -> Schema:
    """A request."""
    return a({"op": {"const": operation}, "id": ID, **properties}, "id", *optional)


def answer(properties: Schema, *optional: str) -> Schema:
    """The answer to a request that was carried out."""
    return a({"id": ID, "ok": TRUE, **properties}, *optional)


def one_of(*schemas: Schema) -> Schema:
    """Exactly one of them."""
    return schemas[0] if len(schemas) == 1 else {"oneOf": list(schemas)}


def common() -> dict[str, Schema]:
    """The schemas that requests and answers refer to, by name."""
    position = {
        "epoch": EPOCH,
        "last": SEQUENCE | {"description": "The channel's last sequence."},
        "recovered": {
            "type": "boolean",
            "description": "Only with `after`: whether everything since then follows. Else nothing of it is sent.",
        },
        "oldest": SEQUENCE | {"description": "If it is not: the first sequence that the log still keeps."},
    }
    start = {
        "after": {"type": ["integer", "null"], "minimum": 0, "description": "The last sequence that you have."},
        "epoch": {"type": ["string", "null"], "description": "The channel's epoch when you got it."},
        "must_recover": {
            "type": "boolean",
            "description": "Refuse instead of going on with something missing; only with `after`.",
        },
    }
    failure = a(
        {
            "code": {"enum": [code.value for code in ErrorCode]},
            "message": TEXT,
            "temporary": {"type": "boolean", "description": "Whether the same request may succeed later."},
            "oldest": SEQUENCE | {"description": "With `unrecoverable`: the first sequence that the log still keeps."},
        },
        "oldest",
    )
    return {
        "start": a(start, *start),
        "person": a(
            {"kind": {"enum": [kind.value for kind in PersonKind]}, "id": TEXT | {"format": "uuid"}, "name": TEXT}
        ),
        "presence.change": a(
            {
                "op": {"const": "presence"},
                "channel": NAME,
                "count": SEQUENCE,
                "joined": SEQUENCE,
                "left": SEQUENCE,
                "people_joined": {"type": "array", "items": ref("person")},
                "people_left": {"type": "array", "items": ref("person")},
            },
            "people_joined",
            "people_left",
        ),
        "position": a({"ok": TRUE, **position}, "recovered", "oldest"),
        "error": failure,
        "refusedChannel": a({"ok": {"const": False}, "error": ref("error")}),
        "refusal": a({"id": ID, "ok": {"const": False}, "error": ref("error")}),
    }
