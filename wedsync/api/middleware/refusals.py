"""Refusals of pages: a query with NUL, a statement that takes too long, a locked sign-in."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import structlog
from axes.helpers import get_cool_off
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from wedsync.api.problems import AWAY, QUERY_CANCELED, TOO_SLOW, not_found, our_fault_response, problem_response
from wedsync.database.errors import POSTGRES_AWAY, code_of, write_refusals

log = structlog.get_logger(__name__)
Answer = Callable[[HttpRequest], HttpResponse]
NUL = "\x00"


class UnreadableQueries:
    """404 for a page whose query contains NUL, which no text of ours contains and PostgreSQL cannot search for."""

    def __init__(self, get_response: Answer) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The page, or 404. Below ``/api/`` each parameter is validated by name."""
        if not request.path_info.startswith("/api/") and any(
            NUL in text for name, values in request.GET.lists() for text in (name, *values)
        ):
            return not_found(request, ValueError("NUL in the query"))
        return self._get_response(request)


class SlowPages:
    """503 for a page whose statement PostgreSQL cancelled. The API has its own answer: wedsync/api/problems.py."""

    def __init__(self, get_response: Answer) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The page."""
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Say that the page took too long, to a person or to a program."""
        if not isinstance(exception, OperationalError) or code_of(exception) != QUERY_CANCELED:
            return None
        log.warning("page_too_slow", path=request.path_info)
        if request.path_info.startswith("/api/"):
            answer: HttpResponse = problem_response(503, "too-slow", TOO_SLOW)
        else:
            answer = refusal(request, "This page took too long", TOO_SLOW, status=503)
        answer["Retry-After"] = "5"
        return answer


def our_fault(request: HttpRequest) -> HttpResponse:
    """Django's 500; 503 where PostgreSQL is away, wherever that was detected: in a view, a session, or a sign-in."""
    error = sys.exc_info()[1]  # Django calls this while it handles the error
    if not isinstance(error, POSTGRES_AWAY):
        return our_fault_response()
    write_refusals.note(error)
    if request.path_info.startswith("/api/"):
        answer: HttpResponse = problem_response(AWAY.status, AWAY.slug, AWAY.detail)
    else:
        text = "WedSync cannot reach its database, or cannot write to it. Nothing was changed. Try again in a minute."
        answer = refusal(request, "Not available right now", text, status=AWAY.status)
    answer["Retry-After"] = AWAY.headers["Retry-After"]
    return answer


def sign_in_locked(request: HttpRequest, *_: Any, **__: Any) -> HttpResponse:
    """The answer of django-axes to a user name and address that failed too often together."""
    cool_off = get_cool_off(request)
    seconds = int(cool_off.total_seconds()) if cool_off else 0
    text = (
        f"Too many sign-ins failed with this user name from your address. Try again in {seconds // 60} minutes, or ask "
        "an operator to let you in earlier. Others, and this user name from elsewhere, are not affected."
    )
    answer = refusal(request, "Signing in is locked for a while", text, status=429)
    answer["Retry-After"] = str(seconds)
    return answer


def refusal(request: HttpRequest, title: str, text: str, *, status: int) -> HttpResponse:
    """A page that tells people what happened and what to do."""
    return render(request, "api/refusal.html", {"title": title, "text": text}, status=status)
