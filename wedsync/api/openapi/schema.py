"""How the API is described in OpenAPI: keys, scopes, problems and idempotency, the same for every endpoint."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import Direction, OpenApiExample, OpenApiParameter, OpenApiResponse
from rest_framework import serializers

from wedsync.api.base_views.idempotency import HEADER, LONGEST, IdempotentPosts
from wedsync.api.base_views.scopes import Scoped
from wedsync.api.keys.permissions import ScopeMissing
from wedsync.api.problems import SLUGS
from wedsync.wire.problems import MEDIA_TYPE, TITLES, FieldProblem, Problem

_ABOUT = {
    400: "The body is not strict JSON, or a parameter is unknown.",
    401: "No key, or one that is unknown or has expired.",
    403: "The key lacks the scope; `scope` names it.",
    404: "Your organization has nothing with this id.",
    409: "It conflicts with the current state, or a request with this key is in progress.",
    413: "The body is over 262 144 bytes.",
    415: "The body is not `application/json`.",
    422: "Some fields are unknown or invalid; `errors` names each.",
    429: "The key has used up its requests for this minute; see `Retry-After` and `RateLimit-Reset`.",
    503: "PostgreSQL is away, or took too long; nothing was changed.",
}
_SLUGS = {**SLUGS, 403: ScopeMissing.slug}
_WITH_BODY = (409, 413, 415, 422)


class FieldProblemShape(serializers.Serializer[FieldProblem]):
    """One field that was refused."""

    field = serializers.CharField(help_text="Its name; a nested one as `outer.0.inner`.")
    reason = serializers.CharField(help_text="For people.")


class ProblemShape(serializers.Serializer[Problem]):
    """An RFC 9457 problem. `type` is stable."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField(help_text="What is wrong, where, and what to do.")
    errors = FieldProblemShape(many=True, required=False)  # type: ignore[assignment]
    scope = serializers.CharField(required=False, help_text="With 403: the scope that is missing.")


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """``Authorization: Bearer <key>``."""

    target_class = "wedsync.api.keys.authentication.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        """See drf-spectacular."""
        return {"type": "http", "scheme": "bearer", "description": "An organization's key: `wsk_...`"}


class Description(AutoSchema):
    """One endpoint's description."""

    def get_tags(self) -> list[str]:
        """The part of the path that names the subject."""
        parts = [part for part in self.path.split("/") if part and not part.startswith("{")]
        named = parts[2] if parts[1] == "integrations" else parts[1]
        return [{"forms": "weddings", "journey": "weddings", "attempts": "deliveries"}.get(named, named)]

    def get_description(self) -> str:  # type: ignore[override]  # as drf-spectacular has it
        """The docstring and the scope."""
        text = super().get_description() or ""
        if isinstance(self.view, Scoped):
            text = f"{text}\n\nScope: `{self.view.scope_for(self.method).value}`."
        return text.strip()

    def get_override_parameters(self) -> list[Any]:
        """The ``Idempotency-Key`` of a POST."""
        if self.method != "POST" or not isinstance(self.view, IdempotentPosts):
            return []
        about = f"1 to {LONGEST} visible ASCII characters. The same request with the same key takes effect once."
        return [OpenApiParameter(HEADER, str, OpenApiParameter.HEADER, description=about)]

    def _get_response_bodies(self, direction: Direction = "response") -> dict[str, Any]:
        """The answers, and the problems that every endpoint of this kind may answer with."""
        found: dict[str, Any] = super()._get_response_bodies(direction)
        if direction != "response":
            return found
        codes = [400, 401, 403, 429, 503]
        if "{" in self.path:
            codes.append(404)
        if self.method in {"POST", "PATCH"}:
            codes += _WITH_BODY
        elif self.method == "DELETE":
            codes.append(409)
        elif self.get_filter_backends():
            codes.append(422)
        for code in sorted(codes):
            found.setdefault(str(code), self._problem(code))
        return found

    def _problem(self, code: int) -> Any:
        example = Problem(code, _SLUGS[code], _ABOUT[code]).body
        shown = OpenApiResponse(
            ProblemShape, _ABOUT[code], examples=[OpenApiExample(TITLES[code], example, status_codes=[str(code)])]
        )
        return self._get_response_for_code(shown, str(code), media_types=[MEDIA_TYPE])  # type: ignore[no-untyped-call]
