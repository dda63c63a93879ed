"""One action for many deliveries: the caller first learns how many there are, and then confirms the number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response

from integrations.models import Delivery
from wedsync.api.integrations.delivery_filters import DeliveryFilters
from wedsync.api.problems import Unprocessable
from wedsync.api.requests.bodies import Body
from wedsync.api.requests.filtering import filtered
from wedsync.wire.problems import FieldProblem

MOST = 10_000


class CountChanged(APIException):
    """The number of matching deliveries differs from the confirmed one."""

    status_code = 409
    slug = "count-changed"

    def __init__(self, count: int) -> None:
        super().__init__(f"{count} deliveries match now. Nothing was done. Check them and confirm again.")
        self.extra = {"count": count}


class BulkRequest(Body):
    """Which deliveries, by the list's filters, and how many there must be for the action to be carried out."""

    filter = serializers.DictField(help_text='As in the list, such as {"state": ["dead"], "system": "..."}.')
    confirm = serializers.IntegerField(
        min_value=0, max_value=MOST, required=False, help_text="The count. Without it, deliveries are only counted."
    )


class BulkResult(serializers.Serializer[Any]):
    """`done` is omitted when deliveries were only counted."""

    count = serializers.IntegerField(help_text="How many match.")
    confirm = serializers.IntegerField(required=False, help_text="Send this to carry it out.")
    done = serializers.IntegerField(required=False, help_text="How many it was carried out for.")


def carry_out(request: Request, rows: QuerySet[Delivery], verb: Callable[[QuerySet[Delivery]], int]) -> Response:
    """Count, or carry the action out for exactly the confirmed number, all or none.

    Raises:
        CountChanged: the number differs from the confirmed one.
        UnknownFilter, Unprocessable: the filter.
    """
    body = BulkRequest(data=request.data)
    body.is_valid(raise_exception=True)
    found = filtered(DeliveryFilters, rows, body.validated_data["filter"])
    confirmed = body.validated_data.get("confirm")
    with transaction.atomic():
        ids = list(found.order_by("-id").values_list("id", flat=True).distinct()[: MOST + 1])
        if len(ids) > MOST:
            raise Unprocessable(FieldProblem("filter", f"matches more than {MOST} deliveries; narrow it"))
        if confirmed is None:
            return Response({"count": len(ids), "confirm": len(ids)})
        if confirmed != len(ids):
            raise CountChanged(len(ids))
        return Response({"count": len(ids), "done": verb(Delivery.objects.filter(id__in=ids))})
