"""Filters of deliveries, for lists and for bulk requests."""

from __future__ import annotations

import django_filters

from integrations.models import System
from integrations.registry.senders import CHANNEL_CHOICES
from integrations.states import Outcome, Reason, State
from wedsync.api.requests.filtering import Filters, SearchFilter
from wedsync.queues import Priority


class DeliveryFilters(Filters):
    """Filters of deliveries; a filter given several times matches any of its values."""

    search_in = ("target", "contact__name", "system__name")
    state = django_filters.MultipleChoiceFilter(choices=State.choices)
    reason = django_filters.MultipleChoiceFilter(
        field_name="state_reason", choices=[choice for choice in Reason.choices if choice[0]]
    )
    system = django_filters.UUIDFilter()
    kind = django_filters.MultipleChoiceFilter(field_name="system__kind", choices=System.Kind.choices)
    channel = django_filters.MultipleChoiceFilter(choices=CHANNEL_CHOICES)
    priority = django_filters.MultipleChoiceFilter(choices=Priority.choices)
    event = django_filters.UUIDFilter()
    event_type = django_filters.CharFilter(field_name="event__type", max_length=64)
    wedding = django_filters.UUIDFilter(field_name="event__wedding")
    contact = django_filters.UUIDFilter()
    route = django_filters.UUIDFilter(field_name="reasons__route")
    created_after = django_filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="gte")
    created_before = django_filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="lt")
    q = SearchFilter()


class AttemptFilters(Filters):
    """Filters of attempts."""

    delivery = django_filters.UUIDFilter()
    outcome = django_filters.MultipleChoiceFilter(choices=Outcome.choices)
    status_code = django_filters.NumberFilter(min_value=100, max_value=599)
    started_after = django_filters.IsoDateTimeFilter(field_name="started_at", lookup_expr="gte")
    started_before = django_filters.IsoDateTimeFilter(field_name="started_at", lookup_expr="lt")
