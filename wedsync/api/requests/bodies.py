"""Bodies of requests: a field that an endpoint does not know is refused by name, never ignored (docs/adr/0058)."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import TYPE_CHECKING, Any, TypeVar

from django.db.models import Model
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer

from wedsync.api.problems import Unprocessable
from wedsync.wire.problems import FieldProblem

if TYPE_CHECKING:
    _Mixed = serializers.Serializer[Any]
else:
    _Mixed = object

Row = TypeVar("Row", bound=Model)
UNKNOWN = "is not known"
MOST_NAMED = 20  # unknown fields that one answer names
LONGEST_NAME = 60


def refuse_unknown(body: Any, known: Collection[str]) -> None:
    """Check the names of a body's fields.

    Raises:
        Unprocessable: the body is not an object, or has other fields; each of them is named.
    """
    if not isinstance(body, dict):
        raise Unprocessable(FieldProblem("body", "must be an object" if known else "must be omitted"))
    if unknown := _names(name for name in body if name not in known):
        takes = f"; known: {', '.join(known)}" if known else "; this request takes no body"
        raise Unprocessable(*(FieldProblem(name, UNKNOWN + takes) for name in unknown))


def _names(unknown: Any) -> list[str]:
    """The first names, shortened for an answer."""
    return sorted({str(name)[:LONGEST_NAME] or "(empty)" for name in unknown})[:MOST_NAMED]


class _KnownFields(_Mixed):
    """Refuses unknown fields. A read-only field is accepted where it repeats the stored value, so that a client can
    send back what it received.
    """

    def to_internal_value(self, data: Any) -> Any:
        """See DRF. Unknown fields are reported together with all other errors.

        Raises:
            ValidationError: by field.
        """
        wrong = self._not_taken(data) if isinstance(data, dict) else {}
        try:
            values = super().to_internal_value(data)
        except serializers.ValidationError as error:
            if not wrong or not isinstance(error.detail, dict):
                raise
            raise serializers.ValidationError({**error.detail, **wrong}) from error
        if wrong:
            raise serializers.ValidationError(wrong)
        return values

    def _not_taken(self, data: dict[str, Any]) -> dict[str, list[str]]:
        wrong = {name: [UNKNOWN] for name in _names(name for name in data if name not in self.fields)}
        shown = [name for name in data if name in self.fields and self.fields[name].read_only]
        stands = self._as_shown() if shown else {}
        for name in shown:
            if self.instance is None:
                wrong[name] = ["cannot be set here"]
            elif stands[name] != data[name]:
                wrong[name] = ["cannot be set here, and differs from the stored value; omit it"]
        return wrong

    def _as_shown(self) -> dict[str, Any]:
        """The row as this endpoint shows it, in JSON's own types."""
        if self.instance is None:
            return {}
        found: dict[str, Any] = json.loads(JSONRenderer().render(self.to_representation(self.instance)))
        return found


class Body(_KnownFields, serializers.Serializer[Any]):
    """The body of a request."""


class RowBody(_KnownFields, serializers.ModelSerializer[Row]):
    """A row, as an endpoint shows and accepts it."""
