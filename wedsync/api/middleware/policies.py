"""What a browser may load and cache: a Content-Security-Policy and a ``Cache-Control`` on every answer.

A page may load only from its own origin, without inline scripts or styles. The admin is the exception: its Alpine
evaluates attributes (``unsafe-eval``), and Unfold and htmx write styles (docs/adr/0061).
"""

from __future__ import annotations

import re

from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.middleware import CSPMiddleware
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from wedsync.api.middleware.spellings import PAGES

Directives = dict[str, list[str]]
KEPT_NOWHERE = "no-store"
_HOST = re.compile(r"[A-Za-z0-9.\-:\[\]]+")
_NOTHING: Directives = {"default-src": [NONE], "base-uri": [NONE], "form-action": [NONE], "frame-ancestors": [NONE]}
_PAGE: Directives = _NOTHING | {
    "default-src": [SELF],
    "object-src": [NONE],
    "script-src": [SELF],
    "style-src": [SELF],
    "img-src": [SELF, "data:"],
    "font-src": [SELF],
    "connect-src": [SELF],
    "form-action": [SELF],
}
_COUPLE: Directives = _NOTHING | {
    "script-src": [SELF],
    "worker-src": [SELF],
    "manifest-src": [SELF],
    "style-src": [SELF],
    "img-src": [SELF],
    "connect-src": [SELF],
    "form-action": [SELF],
}
_ADMIN: Directives = _PAGE | {
    "script-src": [SELF, UNSAFE_EVAL],
    "style-src": [SELF, UNSAFE_INLINE],
}


def directives_for(request: HttpRequest) -> Directives:
    """The policy for a path. Answers for programs get none of a page's rights."""
    path = request.path_info
    if path.startswith("/admin/"):
        return _ADMIN
    if path.startswith("/api/") and not path.startswith(PAGES):
        return _NOTHING
    if path.startswith("/couple/"):
        return _COUPLE | {"connect-src": [SELF, *_own_socket(request)]}
    if path == "/" or path.startswith("/events/"):
        return _PAGE | {"connect-src": [SELF, *_own_socket(request)]}
    return _PAGE


def _own_socket(request: HttpRequest) -> list[str]:
    """The socket of our own pages, which older browsers do not count as the page's own origin."""
    host = request.META.get("HTTP_HOST", "")
    return [f"ws://{host}", f"wss://{host}"] if _HOST.fullmatch(host) else []


class PagePolicies(CSPMiddleware):
    """Adds both headers to every answer that does not set its own."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """See django-csp."""
        if not hasattr(response, "_csp_config"):
            response._csp_config = directives_for(request)  # type: ignore[attr-defined]  # noqa: SLF001
        if not response.has_header("Cache-Control"):
            response["Cache-Control"] = KEPT_NOWHERE
        return super().process_response(request, response)
