"""The breaker on a system's page: its state, its history, and two buttons."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminIntegerFieldWidget

from integrations.admin.buttons import ButtonAdmin, Question, asked
from integrations.admission import BreakerState, LaneView, breakers, lane_of, look
from integrations.models import BreakerChange, System
from wedsync.weddings.tenant_admin.looks import BAD, GOOD, WARNING, button, coloured, column, label, link, moment
from wedsync.weddings.tenant_admin.pages import ReadOnlyAdmin

BREAKER_COLOURS = {"closed": GOOD, "half_open": WARNING, "open": BAD}
_SHOWN = 10
_LONGEST_MINUTES = 24 * 60
_AWAY = "Redis does not answer, so nothing was changed. Try again."


class TripForm(forms.Form):
    """How long to send nothing."""

    minutes = forms.IntegerField(
        min_value=1,
        max_value=_LONGEST_MINUTES,
        initial=30,
        widget=UnfoldAdminIntegerFieldWidget(),
        help_text="Then one delivery tests the system; if it is answered, the breaker closes.",
    )


class BreakerAdmin(ButtonAdmin):
    """Pages of systems with their breakers; a list asks Redis once for all of its rows."""

    breaker_buttons = ("trip_breaker", "reset_breaker")

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The list, each row with its breaker's state."""
        shown = super().get_changelist_instance(request)
        views = look([lane_of(system) for system in shown.result_list])
        for system in shown.result_list:
            system.breaker_view = views[str(system.pk)]
        return shown

    def is_offered(self, row: Any, path: str) -> bool:
        """A closed breaker can be tripped, any other reset; both are offered if Redis does not answer."""
        if path not in {"trip-breaker", "reset-breaker"}:
            return super().is_offered(row, path)
        view = _view(row)
        if path == "reset-breaker" and view.paused_until:
            return True
        return not view.known or (view.state == BreakerState.CLOSED) == (path == "trip-breaker")

    @column("Breaker")
    def breaker(self, system: System) -> SafeString | str:
        view = _view(system)
        return label(view.state, BREAKER_COLOURS) if view.known else "unknown"

    @column("Breaker")
    def breaker_standing(self, system: System) -> str:
        """The state with its counts."""
        view = _view(system)
        if not view.known:
            return "Unknown, since Redis does not answer. Until it does, each worker decides by itself."
        until = f" until {timezone.localtime(view.open_until):%H:%M:%S}" if view.open_until else ""
        state = f"{view.state.label}{until if view.state == BreakerState.OPEN else ''}"
        window = f"{view.window_failures} of {view.window_calls} recent calls failed, {view.failures} in a row"
        paused = (
            f" It asked us to pause until {timezone.localtime(view.paused_until):%H:%M:%S}."
            if view.paused_until
            else ""
        )
        return f"{state}.{paused} {window}; opened {view.opens} times in a row; {view.in_flight} calls in flight."

    @column("History")
    def breaker_history(self, system: System) -> SafeString:
        """The newest changes, and a link to all of them."""
        rows = BreakerChange.objects.filter(system=system).select_related("by").order_by("-id")[:_SHOWN]
        lines = ((f"{timezone.localtime(row.at):%Y-%m-%d %H:%M:%S}", row, row.reason, row.by or "") for row in rows)
        every = reverse("admin:integrations_breakerchange_changelist") + f"?system__id__exact={system.pk}"
        return format_html(
            "{}{}", format_html_join("", "<div>{} · {} · {} {}</div>", lines), link(every, "All changes in 30 days")
        )

    @button("Trip breaker", "trip-breaker")
    def trip_breaker(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Hold all deliveries for some minutes."""
        system: System = self.row_to_press(request, object_id)
        form = TripForm(request.POST or None)
        if not form.is_valid():
            text = "Send nothing to this system for a while? Deliveries are held and use up no attempts."
            question = Question(f"Trip breaker: {system}", "Trip breaker", self.page_of(system), text, form=form)
            return question.page(request, self)
        minutes = form.cleaned_data["minutes"]
        try:
            breakers.trip(system, seconds=minutes * 60, by=self._user(request))
        except breakers.RedisAway:
            return self._away(request, system)
        return self.done(request, system, f"Tripped the breaker for {minutes} min.")

    @asked(
        "Reset breaker",
        "reset-breaker",
        "Close the breaker, and forget its failures and any pause that the system asked for? Held deliveries go out.",
    )
    def reset_breaker(self, request: HttpRequest, system: System) -> str | HttpResponse:
        try:
            freed = breakers.reset(system, by=self._user(request))
        except breakers.RedisAway:
            return self._away(request, system)
        return f"Reset the breaker; held deliveries that are due now: {freed}."

    def _user(self, request: HttpRequest) -> Any:
        return request.user

    def _away(self, request: HttpRequest, system: System) -> HttpResponse:
        messages.error(request, _AWAY)
        return HttpResponseRedirect(self.page_of(system))


def _view(system: System) -> LaneView:
    """The view that the list has fetched, or else fetched now for this system."""
    known: LaneView | None = getattr(system, "breaker_view", None)
    if known is None:
        known = look([lane_of(system)])[str(system.pk)]
        system.breaker_view = known  # type: ignore[attr-defined]
    return known


@admin.register(BreakerChange)
class BreakerChangeAdmin(ReadOnlyAdmin):
    tenant_path = "organization"
    list_display = ("changed", "system", "was", "became", "reason", "by")
    list_select_related = ("system", "by", "organization")
    list_filter = ("system", "to_state", "at")
    search_fields = ("system__name", "breaker_key")
    ordering = ("-id",)
    fields = ("changed", "system", "was", "became", "reason", "by", "breaker_key")
    readonly_fields = ("changed", "was", "became")
    changed = moment("When", "at")
    was = coloured("From", "from_state", BREAKER_COLOURS)
    became = coloured("To", "to_state", BREAKER_COLOURS)
