"""What an answer of the API blames."""

from typing import Any


def fields(answer: Any) -> set[str]:
    """Those that are blamed."""
    assert (answer.status_code, answer["content-type"]) == (422, "application/problem+json"), answer.content
    return {error["field"] for error in answer.json()["errors"]}
