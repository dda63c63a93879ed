"""``/api/integrations/systems/``: connected systems. Credentials can be written but never read back."""

from __future__ import annotations

from typing import Any

import django_filters
from django.conf import settings
from django.core.validators import URLValidator
from django.db import transaction
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from integrations.credentials.kinds import (
    LONGEST,
    Misfit,
    check_together,
    credentials_of,
    leads_elsewhere,
    secrets_to_reenter,
)
from integrations.deliveries import holds
from integrations.models import ClientSync, System
from integrations.outbound import checked_base_url
from integrations.systems import lifecycle
from wedsync import vault
from wedsync.api.base_views.owned import Changing, Choice, Creating, OwnedSerializer, OwnedViews, PlainText
from wedsync.api.problems import Conflict
from wedsync.api.requests.filtering import Filters, SearchFilter
from wedsync.env import ConfigurationError
from wedsync.weddings.models import ApiScope


class BaseUrl(serializers.URLField):
    """Checked by :func:`integrations.outbound.checked_base_url` alone, as in the admin."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.validators = [each for each in self.validators if not isinstance(each, URLValidator)]


class SystemShape(OwnedSerializer[System]):
    """A system. `credentials` are write-only; `credentials_set` names those that are stored."""

    taken_at = "name"
    name = PlainText(max_length=200)
    kind = Choice(choices=System.Kind.choices, help_text="Cannot be changed later.")
    base_url = BaseUrl(max_length=500, help_text="Without a trailing slash, a query or a password.")
    credentials = serializers.DictField(
        child=serializers.CharField(max_length=LONGEST, allow_null=True, trim_whitespace=False),
        write_only=True,
        required=False,
        help_text="Name to value, or to `env:NAME` of a variable that the operator has listed for the organization; "
        "`null` removes one. Omitted ones stay as they are.",
    )
    credentials_set = serializers.SerializerMethodField()

    class Meta:
        model = System
        fields = (
            "id", "name", "kind", "base_url", "credentials", "credentials_set", "call_limit", "rate_per_second",
            "rate_burst", "state", "state_reason", "created_at",
        )  # fmt: skip
        read_only_fields = ("state", "state_reason", "created_at")

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_credentials_set(self, system: System) -> list[str]:
        """The names only; none where the credentials cannot be decrypted."""
        try:
            return sorted(vault.as_stored(system.sealed_credentials))
        except ConfigurationError:
            return []

    def validate_kind(self, kind: str) -> str:
        """Refuse another kind, since routes, references and credentials depend on it."""
        if self.instance is not None and self.instance.kind != kind:
            raise serializers.ValidationError("cannot be changed; create another system")
        return kind

    def validate_base_url(self, url: str) -> str:
        """Check the URL itself; the addresses of its host name are checked before each call."""
        try:
            return checked_base_url(url, settings.OUTBOUND_ALLOW)
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from error

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Check that the credentials fit the system's kind."""
        attrs = super().validate(attrs)
        kind = self.instance.kind if self.instance is not None else attrs["kind"]
        known, wrong = credentials_of(kind), {}
        for name, value in attrs.get("credentials", {}).items():
            if name not in known:
                wrong[name[:60]] = f"is not known for this kind; it takes {', '.join(known)}"
            elif value is not None:
                try:
                    known[name].check(value, self.organization.slug)
                except ValueError as error:
                    wrong[name] = str(error)
        if wrong:
            raise serializers.ValidationError({"credentials": wrong})
        self._check_places(kind, attrs)
        self._check_together(kind, attrs.get("credentials", {}))
        return attrs

    def _check_together(self, kind: str, entered: dict[str, str | None]) -> None:
        """Whether they fit each other, where one of those was entered."""
        try:
            stored = vault.as_stored(self.instance.sealed_credentials) if self.instance is not None else {}
        except ConfigurationError:
            stored = {}
        try:
            check_together(kind, stored, entered)
        except Misfit as misfit:
            raise serializers.ValidationError({"credentials": {misfit.name: str(misfit)}}) from misfit

    def _check_places(self, kind: str, attrs: dict[str, Any]) -> None:
        """Never send credentials that were entered for one origin to another."""
        if self.instance is None or not self.instance.sealed_credentials:
            return
        places = (self.instance.base_url, attrs.get("base_url", self.instance.base_url))
        try:
            stored = vault.as_stored(self.instance.sealed_credentials)
        except ConfigurationError as error:
            if leads_elsewhere(*places):
                said = "leads to another origin, and it is unknown which credentials would be sent there"
                raise serializers.ValidationError({"base_url": f"{said}: {error}"}) from error
            return
        found = secrets_to_reenter(kind, stored, attrs.get("credentials", {}), places)
        for field, names in found.items():
            said = f"leads to another origin: send credentials again, or null to remove: {', '.join(names)}"
            raise serializers.ValidationError({field: said} if field == "base_url" else {"credentials": {field: said}})

    def own_columns(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The row's columns, with the credentials sealed into theirs."""
        columns = super().own_columns(attrs)
        if attrs.get("credentials"):
            stored = {} if self.instance is None else vault.as_stored(self.instance.sealed_credentials)
            merged = {**stored, **attrs["credentials"]}
            columns["sealed_credentials"] = vault.seal({name: value for name, value in merged.items() if value})
        return columns


class SystemFilters(Filters):
    """Filters of systems."""

    search_in = ("name", "base_url")
    kind = django_filters.MultipleChoiceFilter(choices=System.Kind.choices)
    state = django_filters.MultipleChoiceFilter(choices=System.Status.choices)
    q = SearchFilter()


class Resumed(serializers.Serializer[Any]):
    """The system, and how many held deliveries are due now."""

    system = SystemShape(read_only=True)
    due = serializers.IntegerField()


EXAMPLE = OpenApiExample(
    "a venue's system",
    {
        "name": "VenueMaster",
        "kind": "venue_master",
        "base_url": "https://api.venuemaster.example",
        "credentials": {"access_token": "env:WEDSYNC_CREDENTIAL_VENUE_TOKEN"},
    },
    request_only=True,
)


class SystemViews(
    Creating,
    Changing,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.DestroyModelMixin,
    OwnedViews[System],
):
    """Systems of the caller's organization."""

    queryset = System.objects.all()
    serializer_class = SystemShape
    filterset_class = SystemFilters
    bodiless = frozenset({"pause", "resume", "disable"})
    read_scope, write_scope = ApiScope.CONFIG_READ, ApiScope.CONFIG_WRITE

    @extend_schema(examples=[EXAMPLE])
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Connect a system. It is active immediately."""
        return super().create(request, *args, **kwargs)

    def perform_update(self, serializer: serializers.BaseSerializer[System]) -> None:
        """Make deliveries due again that were held by the old rate or by a credential that is now corrected."""
        system = serializer.save()
        holds.let_limited_go(system.id)
        if {"credentials", "base_url"} & set(serializer.validated_data):
            holds.let_mended_go(system.id)

    @transaction.atomic
    def perform_destroy(self, instance: System) -> None:
        """Delete only a system that nothing depends on: the history of its deliveries would be lost."""
        system = System.objects.select_for_update().get(pk=instance.pk)  # nothing can be attached to it meanwhile
        if system.deliveries.exists() or system.connections.exists() or system.routes.exists():
            raise Conflict("This system still has deliveries, connections or routes. Disable it instead.")
        if system.references.exists() or ClientSync.objects.filter(system=system).exists():
            raise Conflict("This system still has external references, or its clients were read. Disable it instead.")
        system.delete()

    @extend_schema(request=None, responses=SystemShape)
    @action(detail=True, methods=["post"])
    def pause(self, request: Request, pk: str) -> Response:
        """Hold the system's deliveries."""
        lifecycle.pause_system(self.get_object())
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(request=None, responses=SystemShape)
    @action(detail=True, methods=["post"])
    def disable(self, request: Request, pk: str) -> Response:
        """Stop sending to the system: its deliveries become dead instead of waiting."""
        lifecycle.disable_system(self.get_object())
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(request=None, responses=Resumed)
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, pk: str) -> Response:
        """Send deliveries to the system again; those that were held are due now."""
        due = lifecycle.resume_system(self.get_object())
        return Response({"system": self.get_serializer(self.get_object()).data, "due": due})
