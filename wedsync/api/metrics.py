"""``GET /metrics`` for Prometheus, not for everybody."""

import hmac

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from integrations.metrics import registry
from wedsync.api.problems import problem_response

LOCAL = {"127.0.0.1", "::1"}
FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP")


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """The metrics in Prometheus' text format."""
    if not _may_look(request):
        return problem_response(403, "forbidden", "Metrics are for this machine, or for who holds the metrics token.")
    try:
        return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
    except DatabaseError:
        return problem_response(503, "storage-away", "PostgreSQL does not answer.")


def _may_look(request: HttpRequest) -> bool:
    """By the token; without one set, by coming from this machine and not through a proxy on it."""
    if token := settings.METRICS_TOKEN:
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), token.encode())
    return request.META.get("REMOTE_ADDR") in LOCAL and not any(name in request.META for name in FORWARDED)
