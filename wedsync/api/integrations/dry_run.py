"""``/api/integrations/channel-config/dry-run/``: what would happen to an event, without doing it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.exceptions import APIException
from rest_framework.request import Request

from integrations.models import System
from integrations.routing import dry_run
from integrations.routing.dry_run import MOST_VERDICTS, CannotTry, Paste
from wedsync.api.base_views.owned import NOT_YOURS, Choice, Reference
from wedsync.api.keys.authentication import client_of
from wedsync.api.problems import Unprocessable
from wedsync.api.requests.bodies import Body
from wedsync.live.event_types.catalogue import CATALOGUE, is_custom
from wedsync.live.models import ChannelEvent
from wedsync.queues import Priority
from wedsync.weddings.models import ApiScope, Wedding
from wedsync.wire.problems import FieldProblem

_starting = threading.Lock()
_running: set[UUID] = set()


class AnotherIsRunning(APIException):
    """Dry runs take time, so an organization may run one at a time."""

    status_code = 429
    slug = "too-many-requests"
    default_detail = "Another dry run of your organization is under way. Try again in a second."
    wait = 1


class EventTypeName(Choice):
    """A type of the catalogue, or one of a client's own."""

    def to_internal_value(self, data: Any) -> Any:
        """See DRF."""
        return data if isinstance(data, str) and is_custom(data) else super().to_internal_value(data)


class PastedEvent(Body):
    """An event that is not stored, with our own names."""

    type = EventTypeName(choices=[(name, name) for name in sorted(CATALOGUE)])
    payload = serializers.DictField(required=False, default=dict)
    wedding_id = Reference(Wedding, required=False, allow_null=True, default=None)
    source_system = Reference(System, required=False, allow_null=True, default=None)
    priority = Choice(choices=Priority.choices, required=False, default="")
    channels = serializers.ListField(
        child=serializers.CharField(max_length=194),
        required=False,
        allow_null=True,
        default=None,
        max_length=50,
        help_text="Where it appears; omitted: where its type does.",
    )


class DryRunRequest(Body):
    """Either the id of an event, or an event."""

    event_id = serializers.UUIDField(required=False)
    event = PastedEvent(required=False)
    after = serializers.IntegerField(
        min_value=0, max_value=1_000_000, default=0, help_text="Skip this many of the routes that do not match."
    )
    limit = serializers.IntegerField(min_value=1, max_value=MOST_VERDICTS, default=MOST_VERDICTS)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Require exactly one of the two."""
        if ("event_id" in attrs) == ("event" in attrs):
            raise serializers.ValidationError({"event_id": "give either an event_id or an event"})
        return attrs


class DryRunResult(serializers.Serializer[Any]):
    """Every route and why it matches or not, and each delivery that would be created, with its content."""

    event = serializers.UUIDField(allow_null=True)
    type = serializers.CharField()
    channels = serializers.ListField(child=serializers.CharField())
    note = serializers.CharField(help_text="Why the event itself is not routed.")
    routes = serializers.ListField(child=serializers.DictField(), help_text="All that match, then those that do not.")
    routes_not_matching = serializers.IntegerField()
    deliveries = serializers.ListField(
        child=serializers.DictField(),
        help_text="`hidden`: recipient and content require `deliveries:read`; values found require `events:read`.",
    )
    deliveries_count = serializers.IntegerField()
    live_channels = serializers.ListField(child=serializers.CharField())


def run(request: Request) -> dict[str, Any]:
    """What the routes of the caller's organization would do with the event in the body.

    Raises:
        Unprocessable: there is no such event, or the pasted one is invalid.
    """
    body = DryRunRequest(data=request.data, context={"request": request})
    body.is_valid(raise_exception=True)
    values = body.validated_data
    event, names = _pasted(request, values["event"]) if "event" in values else (_stored(request, values), None)
    scopes = client_of(request).api_key.scopes
    with _one_at_a_time(client_of(request).organization.id):
        found = dry_run.explain(event, names, after=values["after"], most=values["limit"])
    return found.as_json(shows_people=ApiScope.DELIVERIES_READ in scopes, shows_events=ApiScope.EVENTS_READ in scopes)


@contextmanager
def _one_at_a_time(organization_id: UUID) -> Iterator[None]:
    """Keep one organization from occupying the process's page threads.

    Raises:
        AnotherIsRunning: a dry run of the same organization is under way.
    """
    with _starting:
        if organization_id in _running:
            raise AnotherIsRunning
        _running.add(organization_id)
    try:
        yield
    finally:
        _running.discard(organization_id)


def _stored(request: Request, values: dict[str, Any]) -> ChannelEvent:
    rows = ChannelEvent.objects.filter(organization=client_of(request).organization).select_related("wedding")
    event = rows.filter(id=values["event_id"]).first()
    if event is None:
        raise Unprocessable(FieldProblem("event_id", NOT_YOURS))
    return event


def _pasted(request: Request, given: dict[str, Any]) -> tuple[ChannelEvent, list[str]]:
    paste = Paste(
        client_of(request).organization,
        given["type"],
        given["payload"],
        given["wedding_id"],
        given["source_system"],
        given["priority"],
        given["channels"],
    )
    try:
        return dry_run.pasted(paste)
    except CannotTry as error:
        problems = (FieldProblem(f"event.{each.field}", each.reason) for each in error.problems)
        raise Unprocessable(*problems) from error
