"""How streams and histories refuse: problem+json, as the rest of the API does."""

from collections.abc import Iterable
from typing import Any

from wedsync.live.close_codes import CloseCode
from wedsync.live.error_codes import ErrorCode
from wedsync.live.quotas import Refused
from wedsync.wire.problems import Problem


class Problematic(Exception):
    """A request that is refused with this problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


AWAY = Problem(503, "storage-away", "PostgreSQL does not answer. Try again.", headers={"Retry-After": "5"})
HTTPS = Problem(403, "https-required", "Use https://. A key that was sent without it should be replaced.")
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="wedsync"'}


def bad_request(detail: str) -> Problematic:
    """The request cannot be understood."""
    return Problematic(Problem(400, ErrorCode.BAD_REQUEST, detail))


def unknown_parameter(name: str, known: Iterable[str]) -> Problematic:
    """A parameter that would be ignored otherwise."""
    return Problematic(
        Problem(400, "unknown-filter", f"No such parameter: {name[:60]}. Known: {', '.join(sorted(known))}.")
    )


def not_authenticated(detail: str) -> Problematic:
    """The request does not say who sends it, or that is not known here."""
    return Problematic(Problem(401, "not-authenticated", detail, headers=_CHALLENGE))


def forbidden(detail: str, slug: str = ErrorCode.FORBIDDEN, **extra: Any) -> Problematic:
    """The caller may not do this."""
    return Problematic(Problem(403, slug, detail, extra=extra))


def not_allowed(methods: str) -> Problematic:
    """Another method than those of the path."""
    return Problematic(Problem(405, "method-not-allowed", f"Use {methods}.", headers={"Allow": methods}))


def over_quota(refused: Refused) -> Problematic:
    """There is no room for a further client."""
    headers = {} if refused.retry_after is None else {"Retry-After": str(refused.retry_after)}
    slug = "too-many-connections" if refused.http_status == 429 else "full"
    return Problematic(Problem(refused.http_status, slug, f"{refused}.", headers=headers))


def right_ended(code: CloseCode, reason: str) -> Problematic:
    """A right ended while its request was waiting."""
    return not_authenticated(f"{reason}.") if code.is_final else forbidden(f"{reason}.")
