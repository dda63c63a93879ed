"""Admin of systems and of external references."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from integrations.admin.breaker import BreakerAdmin
from integrations.admin.buttons import asked
from integrations.admin.forms import SystemForm, credential_fields, shown_for, system_form
from integrations.admin.system_buttons import SYSTEM_BUTTONS, SystemButtons
from integrations.deliveries import holds
from integrations.health import report
from integrations.models import ClientSync, ExternalReference, PastReading, System
from integrations.remote_reads.client_sync import can_be_read
from integrations.systems import lifecycle
from wedsync.weddings.tenant_admin.access import BY_SUPPORT
from wedsync.weddings.tenant_admin.looks import BAD, GOOD, WARNING, coloured, column, lines, table
from wedsync.weddings.tenant_admin.pages import TenantAdmin

MOST_READINGS = 20
_COLUMNS = ("When", "Status", "Score", "Calls", "Succeeded", "Oldest due", "Waiting", "Breaker")
LIMITS = {"rate_per_second", "rate_burst"}
_TOLD = (
    "shown_state",
    "state_reason",
    "health_now",
    "health_history",
    "breaker_standing",
    "breaker_history",
    "clients_read",
)
STANDING_COLOURS = {"active": GOOD, "paused": WARNING, "disabled": BAD}


def _second(moment: datetime) -> str:
    return f"{timezone.localtime(moment):%Y-%m-%d %H:%M:%S}"


def _cells(past: PastReading) -> list[object]:
    rate, age = past.success_rate, past.oldest_due_seconds
    return [
        _second(past.taken_at),
        past.status,
        past.score,
        past.attempts,
        "-" if rate is None else f"{rate:.1f} %",
        "-" if age is None else f"{age:.0f} s",
        past.waiting,
        past.breaker.replace("_", " "),
    ]


def _lost_with(system: System) -> str:
    """A sentence about data that deleting a system would lose for good; empty: nothing."""
    references = system.references.count()
    sync = ClientSync.objects.filter(system=system).first()
    lost = [f"{references} external reference{'' if references == 1 else 's'}"] if references else []
    if sync is not None:
        read_to = f"to {_second(sync.read_to)}" if sync.read_to else "nothing yet"
        lost.append(f"how far its clients have been read ({read_to}, cursor {sync.cursor or 'at the beginning'})")
    return f"Lost with {system}: {' and '.join(lost)}. Disable it instead to keep them." if lost else ""


@admin.register(System)
class SystemAdmin(BreakerAdmin, SystemButtons):
    tenant_path = "organization"
    editors = BY_SUPPORT
    form = SystemForm
    fieldsets = (
        (None, {"fields": (("name", "kind"), "base_url")}),
        ("Limits", {"fields": ("call_limit", ("rate_per_second", "rate_burst"))}),
    )
    list_display = ("name", "kind", "shown_state", "why", "breaker", "base_url")
    list_select_related = ("organization",)
    list_filter = ("kind", "state")
    search_fields = ("name", "base_url")
    ordering = ("name", "id")
    actions_detail = ("resume", "pause", "disable", *BreakerAdmin.breaker_buttons, *SYSTEM_BUTTONS)
    shown_state = coloured("State", "state", STANDING_COLOURS)

    @property
    def conditional_fields(self) -> dict[str, str]:
        """Each credential is shown for the kinds that use it."""
        return shown_for()

    def get_form(self, request: HttpRequest, obj: Any = None, *args: Any, **kwargs: Any) -> Any:
        """The form with the credentials of every kind."""
        return super().get_form(request, obj, *args, **{"form": system_form(), **kwargs})

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Credentials only for users who may change them; an existing system also has its state."""
        shown = list(super().get_fieldsets(request, obj))
        if obj is None or self.has_change_permission(request, obj):
            shown.append(("Credentials, stored encrypted and never shown", {"fields": credential_fields()}))
        if obj is not None:
            shown.append(("State", {"fields": (("shown_state", "state_reason"),)}))
            shown.append(("Health", {"fields": ("health_now", "health_history")}))
            shown.append(("Breaker", {"fields": ("breaker_standing", "breaker_history")}))
            if can_be_read(obj):
                shown.append(("Clients", {"fields": ("clients_read",)}))
        return shown

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """The state is changed by buttons, which also release or end held deliveries."""
        return [*super().get_readonly_fields(request, obj), *(_TOLD if obj is not None else [])]

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """First the external references, and how far clients were read, which would be lost with a system."""
        deleted, counts, lacking, protected = super().get_deleted_objects(objs, request)
        return [*filter(None, map(_lost_with, objs)), *deleted], counts, lacking, protected

    @column("Why", ordering="state_reason")
    def why(self, system: System) -> str:
        return system.state_reason.replace("_", " ")

    def save_model(self, request: HttpRequest, obj: System, form: Any, change: bool) -> None:
        """Save; deliveries that waited for a token or for a corrected credential become due again."""
        super().save_model(request, obj, form, change)
        if LIMITS & set(form.changed_data):
            holds.let_limited_go(obj.id)
        if {"base_url", *credential_fields()} & set(form.changed_data):
            holds.let_mended_go(obj.id)

    def is_offered(self, row: System, path: str) -> bool:
        """Offer only buttons that would change something."""
        match path:
            case "resume":
                return bool(row.state != System.Status.ACTIVE)
            case "pause":
                return bool(row.state == System.Status.ACTIVE)
            case "disable":
                return bool(row.state != System.Status.DISABLED)
        return super().is_offered(row, path)

    @column("Now")
    def health_now(self, system: System) -> SafeString | str:
        found = report.of_system(system)
        if found.reading is None:
            return "not swept yet"
        rated = f"{found.rating.status.label} ({found.rating.score}), figures of {_second(found.reading.taken_at)}"
        return lines([rated, *found.rating.why])

    @column("Before")
    def health_history(self, system: System) -> SafeString | str:
        past = list(PastReading.objects.filter(system=system).order_by("-taken_at")[:MOST_READINGS])
        return table(_COLUMNS, [_cells(each) for each in past]) if past else "nothing yet"

    @asked("Resume", "resume", "Send to this system again? Deliveries held for it go out now.")
    def resume(self, request: HttpRequest, system: System) -> str:
        return f"Resumed; held deliveries that are due now: {lifecycle.resume_system(system)}."

    @asked("Pause", "pause", "Hold all deliveries to this system until it is resumed?")
    def pause(self, request: HttpRequest, system: System) -> str:
        lifecycle.pause_system(system)
        return "Paused. Deliveries are held until you resume it."

    @asked("Disable", "disable", "Stop for good? Deliveries to this system will be dead instead of waiting.")
    def disable(self, request: HttpRequest, system: System) -> str:
        lifecycle.disable_system(system)
        return "Disabled."


@admin.register(ExternalReference)
class ExternalReferenceAdmin(TenantAdmin):
    tenant_path = "organization"
    editors = BY_SUPPORT
    fields = (("system", "kind"), "external_id", "wedding", "contact")
    list_display = ("external_id", "kind", "system", "wedding", "contact")
    list_select_related = ("system", "wedding", "contact", "organization")
    list_filter = ("kind", "system")
    search_fields = ("external_id", "wedding__couple", "contact__name")
    autocomplete_fields = ("wedding", "contact")
    ordering = ("-id",)
