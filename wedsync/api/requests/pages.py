"""Lists in pages, newest first, by an opaque cursor: a page costs the same wherever it is (docs/adr/0087)."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Model, Q
from rest_framework.exceptions import APIException
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param
from rest_framework.views import APIView

USUAL, MOST = 50, 200
CURSOR, LIMIT = "cursor", "limit"
_NEXT, _PREVIOUS = "n", "p"


class BadPage(APIException):
    """``cursor`` or ``limit`` cannot be used."""

    status_code = 400
    slug = "bad-page"


class CursorPages(BasePagination):
    """``?cursor=&limit=``; a view may name the columns to sort by, the last of them unique, as ``page_order``."""

    def paginate_queryset(self, queryset: Any, request: Request, view: APIView | None = None) -> list[Any]:
        """The rows of the page; one more is read to see whether another page follows."""
        self._url = request.build_absolute_uri()
        self._columns: tuple[str, ...] = getattr(view, "page_order", ("id",))
        limit = _limit(request.query_params.get(LIMIT))
        direction, place = self._read(request.query_params.get(CURSOR))
        backwards = direction == _PREVIOUS
        signs = self._columns if backwards else tuple(f"-{name}" for name in self._columns)
        rows = queryset.order_by(*signs)
        if place:
            rows = rows.filter(self._beyond(rows.model, place, "gt" if backwards else "lt"))
        found = list(rows[: limit + 1])
        more, page = len(found) > limit, found[:limit]
        if backwards:
            page.reverse()
        has_next, has_previous = (True, more) if backwards else (more, bool(place))
        self._next = self._link(_NEXT, page[-1]) if page and has_next else None
        self._previous = self._link(_PREVIOUS, page[0]) if page and has_previous else None
        return page

    def _beyond(self, model: type[Model], place: list[str], side: str) -> Q:
        try:
            values = [_value(model, column, text) for column, text in zip(self._columns, place, strict=True)]
        except (ValidationError, ValueError) as error:
            raise BadPage(_NO_CURSOR) from error
        if len(values) == 1:
            return Q(**{f"{self._columns[0]}__{side}": values[0]})
        first, second = self._columns
        tied = Q(**{first: values[0], f"{second}__{side}": values[1]})
        return Q(**{f"{first}__{side}": values[0]}) | tied

    def _link(self, direction: str, row: Any) -> str:
        values = [getattr(row, name) for name in self._columns]
        place = [value.isoformat() if hasattr(value, "isoformat") else str(value) for value in values]
        text = base64.urlsafe_b64encode(json.dumps([direction, *place]).encode()).decode().rstrip("=")
        return str(replace_query_param(remove_query_param(self._url, CURSOR), CURSOR, text))

    def _read(self, cursor: str | None) -> tuple[str, list[str]]:
        if cursor is None:
            return _NEXT, []
        try:
            padded = cursor + "=" * (-len(cursor) % 4)
            direction, *place = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        except (ValueError, TypeError, binascii.Error, RecursionError) as error:
            raise BadPage(_NO_CURSOR) from error
        if direction not in (_NEXT, _PREVIOUS) or len(place) != len(self._columns) or not _all_texts(place):
            raise BadPage(_NO_CURSOR)
        return direction, place

    def get_paginated_response(self, data: Any) -> Response:
        """``{"results", "next", "previous"}``."""
        return Response({"results": data, "next": self._next, "previous": self._previous})

    def get_paginated_response_schema(self, schema: Any) -> Any:
        """For the description of the API."""
        link = {"type": "string", "format": "uri", "nullable": True}
        return {
            "type": "object",
            "required": ["results", "next", "previous"],
            "properties": {"results": schema, "next": link, "previous": link},
        }

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        """For the description of the API."""
        limit = {"type": "integer", "minimum": 1, "maximum": MOST, "default": USUAL}
        cursor = "From a page's `next` or `previous`; opaque."
        return [
            {"name": CURSOR, "in": "query", "required": False, "description": cursor, "schema": {"type": "string"}},
            {"name": LIMIT, "in": "query", "required": False, "description": "Rows per page.", "schema": limit},
        ]


_NO_CURSOR = "This is not a valid cursor. Use the next or previous link of a page, or omit it."


def _all_texts(place: list[Any]) -> bool:
    return all(isinstance(part, str) and "\x00" not in part and part.isprintable() for part in place)


def _limit(text: str | None) -> int:
    if text is None:
        return USUAL
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= MOST):
        raise BadPage(f"limit must be a whole number from 1 to {MOST}.")
    return int(text)


def _value(model: type[Model], column: str, text: str) -> Any:
    value = model._meta.get_field(column).to_python(text)  # type: ignore[union-attr]  # noqa: SLF001
    if isinstance(value, datetime) and value.tzinfo is None:
        raise ValueError(text)
    return value
