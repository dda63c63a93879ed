"""``/api/weddings/<id>/``: read a wedding, or change it and publish the change."""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from integrations.wedding_events.publishing import change_wedding
from wedsync.api.base_views.scopes import Scoped
from wedsync.api.keys.authentication import client_of
from wedsync.api.problems import Unprocessable
from wedsync.api.requests.bodies import LONGEST_NAME
from wedsync.api.weddings.shapes import WeddingChangesShape, WeddingShape
from wedsync.database.snapshots import snapshot
from wedsync.live import channels
from wedsync.live.log.reader import positions_of_state
from wedsync.weddings import fields
from wedsync.weddings.models import ApiScope, Wedding
from wedsync.wire.plain_text import clean
from wedsync.wire.problems import FieldProblem

LIVE = "live"


class WeddingView(Scoped):
    """One wedding of the caller's organization."""

    read_scope, write_scope = ApiScope.EVENTS_READ, ApiScope.EVENTS_WRITE

    @extend_schema(operation_id="weddings_retrieve", responses=WeddingShape)
    def get(self, request: Request, wedding_id: UUID) -> Response:
        """The wedding, and from where to follow its live channels."""
        return _answer(request, wedding_id)

    @extend_schema(
        request=WeddingChangesShape,
        responses=WeddingShape,
        examples=[OpenApiExample("later", {"ceremony_time": "16:00", "guest_count": 120}, request_only=True)],
    )
    def patch(self, request: Request, wedding_id: UUID) -> Response:
        """Change fields, with times local at the venue; answers after the commit of the resulting events."""
        wedding = _find(request, wedding_id)
        values = parse_changes(request.data, wedding)
        with transaction.atomic():
            change_wedding(wedding, values, occurred_at=timezone.now(), by=client_of(request).author)
        return _answer(request, wedding_id)


def parse_changes(body: Any, wedding: Wedding) -> dict[str, fields.Value]:
    """The values of a request's body, texts as plain text, times in the wedding's zone.

    Arguments:
        wedding: as it is stored. A read-only or empty field is accepted where it repeats the stored value, so that a
            client can send back what it received. ``live`` is accepted whatever it says, since it changes all the time.

    Raises:
        Unprocessable: with every field that was refused.
    """
    if not isinstance(body, dict) or not body:
        raise Unprocessable(FieldProblem("body", "must be an object with at least one field"))
    shown = as_json(wedding)
    values, problems = {}, []
    for field, value in body.items():
        if field == LIVE:
            continue
        if (field not in fields.CHANGEABLE or value is None) and field in shown and shown[field] == value:
            continue
        try:
            values[field] = fields.parse(field, clean(value), wedding)
        except ValueError as error:
            problems.append(FieldProblem(field[:LONGEST_NAME], str(error)))
    if problems:
        raise Unprocessable(*problems)
    return values


def _answer(request: Request, wedding_id: UUID) -> Response:
    """A wedding with its positions, as they were at one moment."""
    with snapshot():
        wedding = _find(request, wedding_id)
        names = channels.names_of_wedding(wedding.pk)
        positions = positions_of_state(wedding.organization_id, names, [wedding.pk])
    return Response({**as_json(wedding), LIVE: positions})


def _find(request: Request, wedding_id: UUID) -> Wedding:
    wedding = Wedding.objects.filter(organization=client_of(request).organization, id=wedding_id).first()
    if wedding is None:
        raise Http404
    return wedding


def as_json(wedding: Wedding) -> dict[str, Any]:
    """A wedding as the API shows it; times are local at the venue."""
    return {
        "id": str(wedding.id),
        "couple": wedding.couple,
        "timezone": wedding.timezone,
        **{field: fields.as_json(getattr(wedding, field)) for field in fields.CHANGEABLE},
    }
