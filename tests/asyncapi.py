"""Checks what a live channel sends against the product's AsyncAPI description."""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from wedsync.api.asyncapi.document import document
from wedsync.live.sockets.operations.table import OPERATIONS


@cache
def _validator(schema: str) -> Draft202012Validator:
    components = document("http://127.0.0.1")["components"]
    assert schema in components["schemas"], f"docs/asyncapi.yaml has no schema {schema}"
    return Draft202012Validator({"$ref": f"#/components/schemas/{schema}", "components": components})


def check(frame: object, schema: str) -> None:
    """Fail if something is not what the description says of it."""
    error = best_match(_validator(schema).iter_errors(frame))
    if error is not None:
        wrong = f"{error.json_path}: {error.message[:400]}"
        raise AssertionError(f"{json.dumps(frame)[:2000]} is not what {schema} says; {wrong}")


def check_pushed(frame: Mapping[str, Any]) -> None:
    """Check a message that nobody asked for, such as an event; its ``op`` names its schema."""
    kind = frame["op"]
    check(frame, "presence.change" if kind == "presence" else kind)
    if kind == "event":
        named = str(frame["event"]["type"])
        check(frame["event"], "event.custom" if named.startswith("custom.") else f"event.{named}")


def check_any(frame: Mapping[str, Any]) -> None:
    """Check a message of a socket whose requests are not known: an answer to any of the operations will do."""
    if "op" in frame:
        check_pushed(frame)
    elif not frame["ok"]:
        check(frame, "refusal")
    else:
        answers = [_validator(f"{operation}.answer") for operation in OPERATIONS]
        assert any(validator.is_valid(frame) for validator in answers), f"{json.dumps(frame)[:2000]} answers nothing"


def check_told(name: str, data: Any) -> None:
    """Check an event of a stream: one without a name (``message``) is as on a socket."""
    if name == "message":
        check_pushed(data)
    else:
        check(data, f"stream.{name}")


class Conversation:
    """What a client asks, so that each answer is checked as the answer to its request."""

    def __init__(self) -> None:
        self._asked: dict[str, str] = {}

    def asked(self, message: object) -> None:
        """A request was sent; one that cannot be read is answered by a refusal."""
        try:
            content = json.loads(message) if isinstance(message, str) else None
        except ValueError:
            return
        if isinstance(content, dict):
            self._asked[json.dumps(content.get("id"))] = str(content.get("op"))

    def told(self, message: str | bytes) -> None:
        """A message has arrived."""
        frame = json.loads(message)
        assert isinstance(frame, dict)
        if "op" in frame:
            check_pushed(frame)
        elif not frame["ok"]:
            check(frame, "refusal")
        else:
            check(frame, f"{self._asked[json.dumps(frame['id'])]}.answer")
