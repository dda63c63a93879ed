"""Trying, resending and cancelling deliveries: one by a button, many by an action that first says how many."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from integrations.admin.buttons import ANSWERED, PastButtonAdmin, Question, asked
from integrations.deliveries import staff_actions
from integrations.deliveries.staff_actions import RESENDABLE, TRIABLE, CannotResend
from integrations.models import Delivery
from integrations.states import WAITING, State

DELIVERY_BUTTONS = ("try_now", "resend", "cancel")
_MANY = {
    "Try now": "Try {} deliveries now",
    "Resend": "Send {} deliveries again",
    "Cancel": "Cancel {} deliveries",
}
DELIVERY_ACTIONS = ("try_selected", "resend_selected", "cancel_selected")


class DeliveryButtons(PastButtonAdmin):
    """For :class:`integrations.admin.deliveries.DeliveryAdmin`."""

    def is_offered(self, row: Delivery, path: str) -> bool:
        """By the delivery's state."""
        states = {"resend": RESENDABLE, "try-now": TRIABLE}.get(path, WAITING)
        return row.state in states

    @asked("Try now", "try-now", "Try it now instead of waiting for its next try? Its schedule continues from there.")
    def try_now(self, request: HttpRequest, delivery: Delivery) -> str:
        done = staff_actions.try_now(Delivery.objects.filter(id=delivery.id))
        return "It is being tried now." if done else "It is no longer waiting for a try."

    @asked("Resend", "resend", "Send it again? It is rendered again and goes out as a new delivery.")
    def resend(self, request: HttpRequest, delivery: Delivery) -> str | HttpResponse:
        try:
            made = staff_actions.resend(delivery)
        except CannotResend as error:
            messages.error(request, str(error))
            return HttpResponseRedirect(self.page_of(delivery))
        self.log_change(request, delivery, f"Sent again as {made.id}.")
        messages.success(request, "It will go out again. This is the new delivery.")
        return HttpResponseRedirect(self.page_of(made))

    @asked(
        "Cancel",
        "cancel",
        "Cancel it? A request that is already on its way cannot be recalled.",
        act="Cancel this delivery",
        leave="Leave it as it is",
    )
    def cancel(self, request: HttpRequest, delivery: Delivery) -> str:
        done = staff_actions.cancel(Delivery.objects.filter(id=delivery.id))
        return "Cancelled." if done else "It is already on its way or has ended."

    @admin.action(description="Try now")
    def try_selected(self, request: HttpRequest, rows: QuerySet[Delivery]) -> HttpResponse | None:
        """Show how many wait for their next try; then try them."""
        return self._many(request, rows, "Try now", TRIABLE, staff_actions.try_now)

    @admin.action(description="Resend")
    def resend_selected(self, request: HttpRequest, rows: QuerySet[Delivery]) -> HttpResponse | None:
        """Show how many would go out again; then send them."""
        return self._many(request, rows, "Resend", RESENDABLE, staff_actions.resend_all)

    @admin.action(description="Cancel")
    def cancel_selected(self, request: HttpRequest, rows: QuerySet[Delivery]) -> HttpResponse | None:
        """Show how many would be cancelled; then cancel them."""
        return self._many(request, rows, "Cancel", WAITING, staff_actions.cancel)

    def _many(
        self,
        request: HttpRequest,
        rows: QuerySet[Delivery],
        verb: str,
        states: Collection[State],
        act: Callable[[QuerySet[Delivery]], int],
    ) -> HttpResponse | None:
        mine = self.chosen(request, rows)
        if self.too_many(request, mine):
            return None
        fitting = Delivery.objects.filter(pk__in=mine.order_by().values("pk"), state__in=list(states))
        if ANSWERED in request.POST:
            ids = list(fitting.values_list("id", flat=True))
            done = act(Delivery.objects.filter(id__in=ids))
            kept: Any = Delivery.objects.filter(id__in=ids)
            LogEntry.objects.log_actions(request.user.pk or 0, kept, CHANGE, change_message=f"{verb}, with others.")
            messages.success(request, f"{verb}: {done} of {len(ids)} deliveries.")
            return None
        found, chosen = fitting.count(), mine.count()
        return Question(
            title=f"{verb} {found} deliveries",
            text="Nothing has been done yet." if found else "None of them is in a state that allows this.",
            facts=[("Chosen", chosen), (f"To {verb.lower()}", found), ("Left as they are", chosen - found)],
            hidden=self.choose_again(request, mine),
            button=_MANY[verb].format(found) if found else "",
            back=request.get_full_path(),
            leave="Leave them as they are",
        ).page(request, self)
