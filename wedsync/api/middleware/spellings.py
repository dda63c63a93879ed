"""Accepts each path with and without its trailing slash.

Django redirects a path without its slash, which clients follow with a GET and without the body: a POST to
``/api/incidents`` would raise no emergency and be answered with a list. Below ``/api/`` no request is redirected;
elsewhere, none that has a body.
"""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import is_valid_path

from wedsync.api.problems import problem_response

API = "/api/"
PAGES = ("/api/docs/", "/api/asyncapi/")  # below API, and for people
WITHOUT_BODY = frozenset({"GET", "HEAD", "OPTIONS"})
Answer = Callable[[HttpRequest], HttpResponse]


class BothSpellings:
    """Adds a missing slash before anything else reads the path."""

    def __init__(self, get_response: Answer) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer as if the path had been spelled as in the URL configuration."""
        path = request.path_info
        if not path.endswith("/") and (path.startswith(API) or request.method not in WITHOUT_BODY):
            whole = f"{path}/"
            if not is_valid_path(path) and is_valid_path(whole):
                request.path_info, request.path = whole, f"{request.path}/"
        return self._get_response(request)


class EncryptedOnly:
    """Behind TLS, refuses requests to ``/api/`` in clear text, where pages are redirected.

    A redirect would drop the body, and the key has already been sent in clear text, which its owner must learn.
    """

    def __init__(self, get_response: Answer) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """403 for such a request."""
        if settings.SECURE_SSL_REDIRECT and not request.is_secure() and _is_called_by_programs(request.path_info):
            return problem_response(
                403, "https-required", "Use https://. A key that was sent without it should be replaced."
            )
        return self._get_response(request)


def _is_called_by_programs(path: str) -> bool:
    return path.startswith(API) and not path.startswith(PAGES)
