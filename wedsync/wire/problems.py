"""Errors in answers: RFC 9457 ``application/problem+json`` with stable ``type`` slugs, the same everywhere."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "/problems/"

TITLES = {
    400: "Bad request",
    401: "Not authenticated",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    406: "Not acceptable",
    408: "Too slow",
    409: "Conflict",
    413: "Too large",
    415: "Unsupported media type",
    422: "Unprocessable content",
    429: "Too many requests",
    500: "Our fault",
    503: "Not available",
}


@dataclass(frozen=True)
class FieldProblem:
    """One field that was refused, and why; the reason continues the field's name."""

    field: str
    reason: str

    @staticmethod
    def listed(problems: Iterable["FieldProblem"]) -> str:
        """As text, for a problem's ``detail``."""
        return "; ".join(f"{problem.field}: {problem.reason}" for problem in problems)

    @staticmethod
    def as_errors(problems: Iterable["FieldProblem"]) -> dict[str, Any]:
        """For a problem's body: ``{"errors": [{"field", "reason"}, ...]}``."""
        return {"errors": [asdict(problem) for problem in problems]}


@dataclass(frozen=True)
class Problem:
    """One answer that is not a success. ``detail`` says what is wrong, where, and what to do."""

    status: int
    slug: str
    detail: str
    headers: dict[str, str] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def body(self) -> dict[str, Any]:
        """The JSON object."""
        return {
            "type": TYPE_PREFIX + self.slug,
            "title": TITLES.get(self.status, "Error"),
            "status": self.status,
            "detail": self.detail,
            **self.extra,
        }


OUR_FAULT = Problem(500, "our-fault", "Something on our side failed. Our log has the reason.")
