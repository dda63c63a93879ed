"""Admin of addresses: what each may be used for, who said so, and the buttons by which staff change that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from integrations.admin.buttons import ButtonAdmin, Question
from notifications.consent import address_marks, staff_decisions
from notifications.rules.policy import PERSONAL
from wedsync.weddings.models import Address, AddressChange
from wedsync.weddings.tenant_admin.access import BY_PLANNERS
from wedsync.weddings.tenant_admin.forms import TenantForm
from wedsync.weddings.tenant_admin.looks import BAD, GOOD, button, column, label, moment, table

_STANDING = {
    "": "may be used",
    "opted_out": "opted out",
    "bounced": "bounced",
    "complained": "complained",
    "no_consent": "no consent",
}
_COLOURS = {"may be used": GOOD, "opted out": BAD, "bounced": BAD, "complained": BAD}


class AddressForm(TenantForm):
    """An address in the one form in which addresses are compared; Slack has no personal addresses."""

    channel = forms.ChoiceField(
        choices=[(each.value, each.label) for each in PERSONAL], widget=UnfoldAdminSelectWidget()
    )


class ReasonForm(forms.Form):
    """Why staff contradict what the person or the provider said."""

    reason = forms.CharField(
        max_length=500,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="Stored with your name and the time. For instance: Anna asked for it by phone on 12 June.",
    )


def _with_reason(title: str, path: str, text: str, act: Callable[..., bool], done: str) -> Any:
    """A button that asks for a reason first. ``act``: a verb of :mod:`notifications.consent.staff_decisions`."""

    def view(pages: AddressAdmin, request: HttpRequest, object_id: str) -> HttpResponse:
        row = pages.row_to_press(request, object_id)
        form = ReasonForm(request.POST if request.method == "POST" else None)
        if not form.is_valid():
            return Question(f"{title}: {row}", title, pages.page_of(row), text, form=form).page(request, pages)
        changed = act(row, by=request.user.get_username(), reason=form.cleaned_data["reason"])
        return pages.done(request, row, done if changed else "Nothing to change: it was so already.")

    view.__name__ = path.replace("-", "_")
    return button(title, path)(view)


@admin.register(Address)
class AddressAdmin(ButtonAdmin):
    """A phone number or email address: its consent, and what blocks it."""

    tenant_path = "organization"
    editors = BY_PLANNERS
    form = AddressForm
    list_display = ("value", "channel", "shown_state", "consented_at", "opted_out_at", "bounced_at", "complained_at")
    list_select_related = ("organization",)
    list_filter = ("channel",)
    search_fields = ("value", "aliases__alias")
    ordering = ("value", "id")
    actions_detail = ("opt_out", "end_opt_out", "lift_bounce", "lift_complaint")
    wrote_last = moment("Last message from them", "last_inbound_at")
    bounced = moment("Bounced", "bounced_at")
    complained = moment("Complained", "complained_at")

    opt_out = _with_reason(
        "Opt out",
        "opt-out",
        "Nothing more is sent to this address on this channel, not even emergencies, until the person opts in again.",
        staff_decisions.opt_out,
        "The address is opted out. Nothing more is sent to it.",
    )
    end_opt_out = _with_reason(
        "End the opt-out",
        "end-opt-out",
        "The person has said that they want no more messages. End this only if they have told you otherwise.",
        staff_decisions.end_opt_out,
        "The opt-out has ended. Messages are sent there again unless something else blocks the address.",
    )
    lift_bounce = _with_reason(
        "Lift the bounce",
        "lift-bounce",
        "The provider said that messages do not arrive there. Lift the bounce when you know that the address works. "
        "A message from the person lifts it automatically.",
        staff_decisions.lift_bounce,
        "The bounce is lifted. Messages are sent there again unless something else blocks the address.",
    )
    lift_complaint = _with_reason(
        "Lift the complaint",
        "lift-complaint",
        "The person marked a message as spam. Lift this only if they have told you that they want your messages.",
        staff_decisions.lift_complaint,
        "The complaint is lifted. Messages are sent there again unless something else blocks the address.",
    )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        several = ("organization",) if self._has_several(request, obj) else ()
        if obj is None:
            return [(None, {"fields": (*several, ("channel", "value"), *_CONSENT, "opted_out_at")})]
        facts = (*several, ("channel", "value", "shown_state"), *_CONSENT, "opted_out_at", ("bounced", "bounce_reason"))
        facts += ("complained", ("wrote_last", "known_as"))
        return [(None, {"fields": facts}), ("Who changed it, and why", {"fields": ("history",)})]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """The address itself cannot be changed; an opt-out is set here and ended by its button."""
        fixed = [*super().get_readonly_fields(request, obj)]
        if obj is None:
            return fixed
        shown = ("shown_state", "bounced", "bounce_reason", "complained", "wrote_last", "known_as", "history")
        return [*fixed, "channel", "value", *shown, *(["opted_out_at"] if obj.opted_out_at else [])]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """No bulk actions: they would delete addresses without anyone looking at each."""
        return {}

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only an unmarked address can be deleted: an opt-out, bounce or complaint would be lost with it."""
        marked = obj is not None and any((obj.opted_out_at, obj.bounced_at, obj.complained_at))
        return not marked and bool(super().has_delete_permission(request, obj))

    def is_offered(self, row: Address, path: str) -> bool:
        return {
            "opt-out": not row.opted_out_at,
            "end-opt-out": bool(row.opted_out_at),
            "lift-bounce": bool(row.bounced_at),
            "lift-complaint": bool(row.complained_at),
        }.get(path, True)

    def save_model(self, request: HttpRequest, obj: Address, form: Any, change: bool) -> None:
        """Save, and record who changed what."""
        super().save_model(request, obj, form, change)
        rows = Address.objects.filter(id=obj.id)
        by = request.user.get_username()
        if "opted_out_at" in form.changed_data and obj.opted_out_at:
            address_marks.record(rows, AddressChange.What.OPTED_OUT, by, "entered by staff")
        if {"consented_at", "consent_source"} & set(form.changed_data):
            said = f"consent {'given' if obj.consented_at else 'withdrawn'}: {obj.consent_source}"
            address_marks.record(rows, AddressChange.What.CONSENT, by, said)

    @column("Status")
    def shown_state(self, row: Address) -> SafeString:
        return label(_STANDING[row.blocked_because], _COLOURS)

    @column("Provider's names for it")
    def known_as(self, row: Address) -> str:
        return ", ".join(row.aliases.order_by("alias").values_list("alias", flat=True)) or "-"

    @column("History")
    def history(self, row: Address) -> SafeString:
        rows = (
            (f"{timezone.localtime(each.at):%Y-%m-%d %H:%M:%S}", each.get_what_display(), each.by, each.reason)
            for each in row.changes.order_by("-id")[:100]
        )
        return table(("When (UTC)", "What", "By", "Why"), rows)


_CONSENT = ("consented_at", "consent_source")
