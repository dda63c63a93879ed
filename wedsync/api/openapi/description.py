"""``/api/schema/`` and ``/api/docs/``: the API's description, generated once per process, and a page that shows it."""

from __future__ import annotations

import threading
from functools import lru_cache

from django.http import HttpRequest, HttpResponse
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer
from drf_spectacular.views import SpectacularSwaggerSplitView

from wedsync.api.problems import problem_response

FORMAT = "format"
FORMATS = {"yaml": OpenApiYamlRenderer, "json": OpenApiJsonRenderer}
KEPT_FOR = 300  # seconds, by browsers and client generators
_making = threading.Lock()


def schema(request: HttpRequest) -> HttpResponse:
    """The description as YAML, or as JSON where ``Accept`` or ``?format=json`` requests it."""
    if request.method not in {"GET", "HEAD"}:
        refused = problem_response(405, "method-not-allowed", "The description is read-only.")
        refused["Allow"] = "GET, HEAD"
        return refused
    asked = request.GET.get(FORMAT) or ("json" if "json" in request.headers.get("Accept", "") else "yaml")
    if set(request.GET) - {FORMAT} or asked not in FORMATS:
        return problem_response(400, "unknown-filter", "The only parameter is format, which is yaml or json.")
    with _making:  # other requests wait for it instead of generating their own
        body = _made(asked)
    answer = HttpResponse(body, content_type=FORMATS[asked].media_type)
    answer["Content-Disposition"] = f'inline; filename="WedSync.{asked}"'
    answer["Cache-Control"] = f"public, max-age={KEPT_FOR}"
    answer["Vary"] = "Accept"
    return answer


@lru_cache(maxsize=len(FORMATS))
def _made(kind: str) -> bytes:
    described = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    made = FORMATS[kind]().render(described, renderer_context={})
    return made if isinstance(made, bytes) else made.encode()


class DocsPage(SpectacularSwaggerSplitView):
    """Swagger UI, with its script in a separate file, as the page's policy requires."""

    template_name = "api/docs.html"
