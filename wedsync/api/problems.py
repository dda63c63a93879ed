"""The API's errors as problem+json, including DRF's own exceptions."""

import math
from collections.abc import Iterator
from typing import Any

import structlog
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, DataError, IntegrityError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, JsonResponse
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.settings import api_settings

from wedsync.database.errors import code_of, write_refusals
from wedsync.wire.problems import MEDIA_TYPE, OUR_FAULT, FieldProblem, Problem

log = structlog.get_logger(__name__)
AWAY = Problem(503, "storage-away", "Nothing was changed. Try again.", headers={"Retry-After": "5"})

SLUGS = {
    400: "bad-request",
    401: "not-authenticated",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    406: "not-acceptable",
    409: "conflict",
    413: "body-too-large",
    415: "unsupported-media-type",
    422: "unprocessable",
    429: "too-many-requests",
    503: "storage-away",
}


QUERY_CANCELED = "57014"  # by statement_timeout; https://www.postgresql.org/docs/current/errcodes-appendix.html
TOO_SLOW = (
    f"The database query was stopped after {settings.STATEMENT_SECONDS:g} seconds. Nothing was changed. "
    "Narrow the search or the filter, or request less data."
)


class Conflict(exceptions.APIException):
    """The request conflicts with the current state."""

    status_code = 409
    slug = "conflict"


class Unprocessable(exceptions.APIException):
    """Some fields were refused."""

    status_code = 422

    def __init__(self, *problems: FieldProblem) -> None:
        super().__init__(FieldProblem.listed(problems))
        self.problems = problems


def answer(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler."""
    problem = _problem(error)
    if problem is None:
        return None
    return Response(problem.body, status=problem.status, headers=problem.headers, content_type=MEDIA_TYPE)


def _problem(error: Exception) -> Problem | None:
    if isinstance(error, Unprocessable):
        return Problem(422, "unprocessable", str(error.detail), extra=FieldProblem.as_errors(error.problems))
    if isinstance(error, Http404):
        return Problem(404, "not-found", "There is nothing here that you may see.")
    if isinstance(error, PermissionDenied):
        return Problem(403, "forbidden", "You may not do this.")
    if isinstance(error, exceptions.ValidationError):
        found = list(field_problems(error.detail))
        return Problem(422, "unprocessable", FieldProblem.listed(found), extra=FieldProblem.as_errors(found))
    if isinstance(error, IntegrityError):
        log.info("conflicting_write", exc_info=True)
        return Problem(409, "conflict", "Something else changed at the same time. Nothing was changed here. Try again.")
    if isinstance(error, DataError):
        log.exception("value_not_storable")
        return Problem(422, "unprocessable", "A value of the body cannot be stored. Nothing was changed.")
    if isinstance(error, OperationalError) and code_of(error) == QUERY_CANCELED:
        log.warning("statement_too_slow")
        return Problem(503, "too-slow", TOO_SLOW, headers={"Retry-After": "5"})
    if isinstance(error, DatabaseError | InterfaceError):
        log.exception("storage_away")
        write_refusals.note(error)
        return AWAY
    if not isinstance(error, exceptions.APIException):
        return None
    headers = {}
    if scheme := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = scheme
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(math.ceil(wait))
    status = error.status_code
    slug = getattr(error, "slug", None) or SLUGS.get(status, "error")
    return Problem(status, slug, str(error.detail), headers=headers, extra=getattr(error, "extra", {}))


def field_problems(detail: Any, path: str = "") -> Iterator[FieldProblem]:
    """DRF's tree of errors as a list; a nested field is named ``outer.0.inner``."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            step = path if name == api_settings.NON_FIELD_ERRORS_KEY else f"{path}.{name}".lstrip(".")
            yield from field_problems(inner, step)
    elif isinstance(detail, list) and any(isinstance(inner, dict | list) for inner in detail):
        for number, inner in enumerate(detail):
            yield from field_problems(inner, f"{path}.{number}".lstrip("."))
    else:
        reasons = detail if isinstance(detail, list) else [detail]
        for reason in reasons:
            yield FieldProblem(path or "body", str(reason))


def problem_response(status: int, slug: str, detail: str) -> JsonResponse:
    """A problem as a plain Django response."""
    return _response(Problem(status, slug, detail))


def _response(problem: Problem) -> JsonResponse:
    return JsonResponse(problem.body, status=problem.status, content_type=MEDIA_TYPE)


def not_found(request: HttpRequest, exception: Exception) -> JsonResponse:
    """Django's 404."""
    return problem_response(404, "not-found", "There is no such page.")


def our_fault_response() -> JsonResponse:
    """A fault of ours, as a plain Django response."""
    return _response(OUR_FAULT)
