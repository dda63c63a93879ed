"""``/api/integrations/references/``: other systems' ids for our weddings and contacts."""

from __future__ import annotations

from typing import Any

import django_filters
from rest_framework import mixins, serializers

from integrations.models import ExternalReference, System
from wedsync.api.base_views.owned import Changing, Choice, Creating, OwnedSerializer, OwnedViews, PlainText, Reference
from wedsync.api.requests.filtering import Filters, SearchFilter
from wedsync.weddings.models import ApiScope, Contact, Wedding


class ReferenceShape(OwnedSerializer[ExternalReference]):
    """A system's id for a wedding, a contact, or both. Events that waited for it are linked within seconds."""

    taken_at = "external_id"
    system = Reference(System)
    kind = Choice(choices=ExternalReference.Kind.choices, default=ExternalReference.Kind.BOOKING)
    external_id = PlainText(max_length=200)
    wedding = Reference(Wedding, allow_null=True, required=False)
    contact = Reference(Contact, allow_null=True, required=False)

    class Meta:
        model = ExternalReference
        fields = ("id", "system", "kind", "external_id", "wedding", "contact")
        validators: list[object] = []  # the model's own checks say the same

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Require a wedding or a contact."""
        row = self.instance
        if not any(attrs.get(name, getattr(row, name, None)) for name in ("wedding", "contact")):
            raise serializers.ValidationError({"wedding": "name a wedding, a contact, or both"})
        return super().validate(attrs)


class ReferenceFilters(Filters):
    """Filters of references."""

    search_in = ("external_id",)
    system = django_filters.UUIDFilter()
    kind = django_filters.ChoiceFilter(choices=ExternalReference.Kind.choices)
    external_id = django_filters.CharFilter(max_length=200)
    wedding = django_filters.UUIDFilter()
    contact = django_filters.UUIDFilter()
    q = SearchFilter()


class ReferenceViews(
    Creating,
    Changing,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.DestroyModelMixin,
    OwnedViews[ExternalReference],
):
    """References of the caller's organization."""

    queryset = ExternalReference.objects.all()
    serializer_class = ReferenceShape
    filterset_class = ReferenceFilters
    read_scope, write_scope = ApiScope.CONFIG_READ, ApiScope.CONFIG_WRITE
