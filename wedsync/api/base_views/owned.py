"""Endpoints over rows of the caller's organization: another organization's rows cannot be seen, named or guessed."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from django.core.exceptions import NON_FIELD_ERRORS
from django.core.exceptions import ValidationError as Unfit
from django.db import transaction
from django.db.models import Model, QuerySet
from rest_framework import mixins, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from wedsync.api.base_views.idempotency import IdempotentPosts
from wedsync.api.base_views.scopes import Scoped
from wedsync.api.keys.authentication import client_of
from wedsync.api.requests.bodies import RowBody
from wedsync.weddings.models import Organization
from wedsync.wire.plain_text import clean_text

Row = TypeVar("Row", bound=Model)
NOT_YOURS = "does not belong to your organization"


class PlainText(serializers.CharField):
    """A text without markup or hidden characters."""

    def to_internal_value(self, data: Any) -> str:
        """See DRF."""
        text = str(super().to_internal_value(clean_text(data) if isinstance(data, str) else data))
        if not text.strip() and not self.allow_blank:
            self.fail("blank")
        return text


class Choice(serializers.ChoiceField):
    """One of a fixed set of words; the error about any other does not repeat it."""

    default_error_messages = {"invalid_choice": "is not a known choice"}


class Reference(serializers.PrimaryKeyRelatedField[Any]):
    """The id of a row of the caller's organization; another organization's row counts as unknown."""

    default_error_messages = {"does_not_exist": NOT_YOURS, "incorrect_type": "must be an id"}

    def __init__(self, model: type[Model], **options: Any) -> None:
        super().__init__(queryset=model._default_manager.all(), pk_field=_Id(), **options)  # noqa: SLF001

    def get_queryset(self) -> QuerySet[Any]:
        """Only the caller's rows."""
        rows: Any = super().get_queryset()
        request = self.context.get("request")
        bounded: QuerySet[Any] = rows.filter(organization=client_of(request).organization) if request else rows.none()
        return bounded

    def use_pk_only_optimization(self) -> bool:
        """Show the stored id without reading the row it refers to."""
        return True


class _Id(serializers.UUIDField):
    default_error_messages = {"invalid": "must be an id"}


class OwnedSerializer(RowBody[Row], Generic[Row]):
    """A row as the API shows and accepts it, validated by the model's own checks, as in the admin.

    ``taken_at``: the field that gets the error when the row's name, or another unique value, is taken.
    """

    taken_at = ""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Let the model validate the row as it would be."""
        row = self._as_it_would_be(attrs)
        try:
            row.full_clean()
        except Unfit as error:
            raise serializers.ValidationError(self._reasons(error)) from error
        return attrs

    def own_columns(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The values that are columns of the row itself."""
        columns = {field.name for field in self._model._meta.concrete_fields}  # noqa: SLF001
        return {name: value for name, value in attrs.items() if name in columns}

    def _as_it_would_be(self, attrs: dict[str, Any]) -> Row:
        model = self._model
        row: Row = model(organization=self.organization)
        if self.instance is not None:
            for field in model._meta.concrete_fields:  # noqa: SLF001
                setattr(row, field.attname, getattr(self.instance, field.attname))
            row._state.adding = False  # noqa: SLF001
        for name, value in self.own_columns(attrs).items():
            setattr(row, name, value)
        return row

    def _reasons(self, error: Unfit) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name, reasons in error.message_dict.items():
            if name == NON_FIELD_ERRORS and self.taken_at:
                found[self.taken_at] = ["is already taken in your organization"]
            else:
                found[name if name != NON_FIELD_ERRORS else "body"] = reasons
        return found

    @property
    def _model(self) -> Any:
        return self.Meta.model

    @property
    def organization(self) -> Organization:
        """The caller's organization."""
        return client_of(self.context["request"]).organization

    def create(self, validated_data: dict[str, Any]) -> Row:
        """Create the row in the caller's organization."""
        row = self._as_it_would_be(validated_data)
        row.save(force_insert=True)
        return row

    def update(self, instance: Row, validated_data: dict[str, Any]) -> Row:
        """Write only the given columns, so that a state that changes meanwhile is kept."""
        columns = self.own_columns(validated_data)
        for name, value in columns.items():
            setattr(instance, name, value)
        if columns:
            instance.save(update_fields=list(columns))
        return instance


class OwnedViews(Scoped, IdempotentPosts, GenericViewSet[Row], Generic[Row]):
    """A view set whose ``queryset`` is bounded by the caller's organization."""

    organization_path = "organization"
    lookup_value_converter = "uuid"
    http_method_names = ["get", "head", "options", "post", "patch", "delete"]

    def get_queryset(self) -> QuerySet[Row]:
        """The rows that can be reached here at all."""
        rows: QuerySet[Row] = super().get_queryset()
        if getattr(self, "swagger_fake_view", False):
            return rows.none()
        return rows.filter(**{self.organization_path: client_of(self.request).organization})

    def locked(self) -> Row:
        """The URL's row, locked until the end of the transaction.

        Raises:
            Http404: the caller's organization has no such row.
        """
        key = self.get_object().pk
        return self.get_queryset().select_for_update(of=("self",), no_key=True).get(pk=key)


class Creating(mixins.CreateModelMixin):
    """POST: a new row, whole or not at all."""

    @transaction.atomic
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """201 with the row."""
        return super().create(request, *args, **kwargs)


class Changing(mixins.UpdateModelMixin):
    """PATCH: some fields of a row, validated while it is locked."""

    @transaction.atomic
    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """200 with the row."""
        self.locked()  # type: ignore[attr-defined]
        return super().partial_update(request, *args, **kwargs)
