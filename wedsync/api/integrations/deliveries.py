"""``/api/integrations/deliveries/`` and ``/attempts/``: what goes out, with what result, and resending it."""

from __future__ import annotations

from django.db import transaction
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from integrations.deliveries import staff_actions
from integrations.models import Attempt, Delivery
from integrations.states import WAITING, State
from wedsync.api.base_views.owned import OwnedViews
from wedsync.api.integrations.bulk import BulkRequest, BulkResult, carry_out
from wedsync.api.integrations.delivery_filters import AttemptFilters, DeliveryFilters
from wedsync.api.integrations.delivery_shapes import AttemptShape, DeliveryShape, WholeDeliveryShape
from wedsync.api.problems import Conflict
from wedsync.weddings.models import ApiScope

_BULK = OpenApiExample("after the count", {"filter": {"state": ["dead"]}, "confirm": 12}, request_only=True)
_WRITE = ApiScope.DELIVERIES_WRITE


class DeliveryViews(mixins.ListModelMixin, mixins.RetrieveModelMixin, OwnedViews[Delivery]):
    """Deliveries of the caller's organization."""

    queryset = Delivery.objects.select_related("system", "contact", "event")
    serializer_class = DeliveryShape
    filterset_class = DeliveryFilters
    bodiless = frozenset({"resend", "cancel", "try_now"})
    read_scope, write_scope = ApiScope.DELIVERIES_READ, _WRITE

    def get_serializer_class(self) -> type[DeliveryShape]:
        """A single delivery is shown in full."""
        return DeliveryShape if self.action == "list" else WholeDeliveryShape

    def get_queryset(self) -> QuerySet[Delivery]:
        """A single delivery comes with its attempts and reasons."""
        rows = super().get_queryset().defer("event__payload")
        return rows.defer("request") if self.action == "list" else rows.prefetch_related("attempts", "reasons")

    @extend_schema(request=None, responses={201: WholeDeliveryShape})
    @action(detail=True, methods=["post"])
    @transaction.atomic
    def resend(self, request: Request, pk: str) -> Response:
        """Resend a finished delivery: a new delivery with its own generation, rendered again."""
        old = self.locked()
        try:
            new = staff_actions.resend(old)
        except staff_actions.CannotResend as error:
            raise Conflict(str(error)) from error
        return Response(self.get_serializer(self.get_queryset().get(pk=new.pk)).data, status=201)

    @extend_schema(request=None, responses=WholeDeliveryShape)
    @action(detail=True, methods=["post"])
    @transaction.atomic
    def cancel(self, request: Request, pk: str) -> Response:
        """Cancel a waiting delivery. One in flight cannot be called back."""
        row = self.get_object()
        cancelled = staff_actions.cancel(Delivery.objects.filter(id=row.id))
        row = self.get_object()
        if not cancelled and row.state != State.CANCELLED:
            raise Conflict(f"This delivery is {row.state.replace('_', ' ')}; only a waiting one can be cancelled.")
        return Response(self.get_serializer(row).data)

    @extend_schema(request=None, responses=WholeDeliveryShape)
    @action(detail=True, methods=["post"], url_path="try-now")
    @transaction.atomic
    def try_now(self, request: Request, pk: str) -> Response:
        """Try a scheduled delivery now instead of at its next time; its schedule continues from there."""
        row = self.get_object()
        if not staff_actions.try_now(Delivery.objects.filter(id=row.id)):
            raise Conflict(f"This delivery is {row.state.replace('_', ' ')}; only a scheduled one can be tried now.")
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(
        operation_id="deliveries_resend_all", request=BulkRequest, responses={200: BulkResult}, examples=[_BULK]
    )
    @action(detail=False, methods=["post"], url_path="resend")
    def resend_all(self, request: Request) -> Response:
        """Resend all finished deliveries that match a filter: first counted, then confirmed."""
        return carry_out(request, self._bounded(staff_actions.RESENDABLE), staff_actions.resend_all)

    @extend_schema(
        operation_id="deliveries_cancel_all", request=BulkRequest, responses={200: BulkResult}, examples=[_BULK]
    )
    @action(detail=False, methods=["post"], url_path="cancel")
    def cancel_all(self, request: Request) -> Response:
        """Cancel all waiting deliveries that match a filter: first counted, then confirmed."""
        return carry_out(request, self._bounded(WAITING), staff_actions.cancel)

    def _bounded(self, states: frozenset[State]) -> QuerySet[Delivery]:
        return super().get_queryset().select_related(None).filter(state__in=states)


class AttemptViews(mixins.ListModelMixin, OwnedViews[Attempt]):
    """Attempts at deliveries of the caller's organization."""

    queryset = Attempt.objects.all()
    organization_path = "delivery__organization"
    serializer_class = AttemptShape
    filterset_class = AttemptFilters
    read_scope = write_scope = ApiScope.DELIVERIES_READ
