"""``/api/contacts/<id>/preferences/``: what a contact wants to receive, and on which channel."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from notifications.consent import wishes
from notifications.models import Preference
from notifications.models.preferences import CATEGORIES
from wedsync.api.base_views.owned import Choice
from wedsync.api.base_views.scopes import Scoped
from wedsync.api.keys.authentication import client_of
from wedsync.api.requests.bodies import Body
from wedsync.weddings.models import ApiScope, Contact, ContactChannel


class PreferenceShape(Body):
    """One category on one channel."""

    category = Choice(choices=CATEGORIES)
    channel = Choice(choices=ContactChannel.choices)
    wanted = serializers.BooleanField()


class PreferencesShape(Body):
    """The preferences to change; others stay as they are. What was never set is wanted."""

    preferences = PreferenceShape(many=True, allow_empty=False)


class PreferencesView(Scoped):
    """Preferences of a contact of the caller's organization."""

    read_scope, write_scope = ApiScope.CONFIG_READ, ApiScope.CONFIG_WRITE

    @extend_schema(responses=PreferencesShape, operation_id="contact_preferences")
    def get(self, request: Request, contact_id: UUID) -> Response:
        """Every category on every channel."""
        return Response(_shown(_contact(request, contact_id)))

    @extend_schema(request=PreferencesShape, responses=PreferencesShape, operation_id="contact_preferences_change")
    def patch(self, request: Request, contact_id: UUID) -> Response:
        """Change some of them."""
        contact = _contact(request, contact_id)
        asked = PreferencesShape(data=request.data)
        asked.is_valid(raise_exception=True)
        with transaction.atomic():
            for each in asked.validated_data["preferences"]:
                wishes.change(
                    contact, each["category"], ContactChannel(each["channel"]), wanted=each["wanted"], source="the API"
                )
        return Response(_shown(contact))


def _contact(request: Request, contact_id: UUID) -> Contact:
    return get_object_or_404(Contact, id=contact_id, organization=client_of(request).organization)


def _shown(contact: Contact) -> dict[str, Any]:
    rows = Preference.objects.filter(contact=contact, wanted=False)
    unwanted = set(rows.values_list("category", "channel"))
    every = [(category, channel) for category, _ in CATEGORIES for channel in ContactChannel.values]
    return {
        "preferences": [
            {"category": category, "channel": channel, "wanted": (category, channel) not in unwanted}
            for category, channel in every
        ]
    }
