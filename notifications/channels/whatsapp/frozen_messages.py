"""What the frozen bytes of a message are: free text, or a template that they name."""

import json
from typing import Any


def is_text(request: dict[str, Any] | None) -> bool:
    """Whether frozen bytes are free text, not a template."""
    try:
        return bool(json.loads((request or {})["body"])["type"] == "text")
    except (ValueError, KeyError, TypeError):
        return False


def name_in(request: dict[str, Any] | None) -> str:
    """The template that frozen bytes name."""
    return str(template_in(request).get("name", "a template"))


def template_in(request: dict[str, Any] | None) -> dict[str, Any]:
    """The template of frozen bytes, as Meta gets it; empty: free text, or nothing frozen."""
    try:
        found = json.loads((request or {})["body"])["template"]
    except (ValueError, KeyError, TypeError):
        return {}
    return found if isinstance(found, dict) else {}
