"""``/livez`` and ``/readyz``, for balancers."""

from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse

from wedsync.api.problems import problem_response


def live(request: HttpRequest) -> JsonResponse:
    """The process answers."""
    return JsonResponse({"status": "live"})


def ready(request: HttpRequest) -> JsonResponse:
    """The process can take events: PostgreSQL answers. Redis may be away, since it carries hints only."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM django_migrations LIMIT 1")
    except DatabaseError:
        return problem_response(503, "storage-away", "PostgreSQL does not answer.")
    return JsonResponse({"status": "ready"})
