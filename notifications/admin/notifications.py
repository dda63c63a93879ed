"""Admin of notifications, preferences and plans."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from notifications.models import Notification, Plan, Preference
from notifications.trace import answers
from wedsync.live.admin import ChannelEventAdmin, EventTypeFilter
from wedsync.weddings.admin import ContactAdmin
from wedsync.weddings.tenant_admin.access import BY_PLANNERS
from wedsync.weddings.tenant_admin.looks import (
    BAD,
    BUSY,
    GOOD,
    PRIORITY_COLOURS,
    WARNING,
    coloured,
    column,
    label,
    lines,
    link,
    moment,
    table,
)
from wedsync.weddings.tenant_admin.pages import ReadOnlyAdmin, ReadOnlyInline, TenantAdmin, TenantInline

GOT_COLOURS = {
    "acknowledged": GOOD, "read": GOOD, "delivered": GOOD, "sent": BUSY, "waits": WARNING, "failed": BAD,
}  # fmt: skip
STATE_COLOURS = {"open": BUSY, "reached": GOOD, "failed": BAD}


def got(notification: Notification) -> SafeString:
    """Whether they got it: a label and a sentence."""
    found = answers.answer(notification)
    return format_html("{} {}", label(found.got, GOT_COLOURS), found.text)


class NotificationTypeFilter(EventTypeFilter):
    """By the event's type."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(event__type=self.value()) if self.value() else queryset


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin):
    """Did Anna get it? The list finds her; the page says whether, and if not, why."""

    tenant_path = "organization"
    list_display = ("name", "about", "did_they_get_it", "urgency", "shown_state", "made")
    list_select_related = ("event__wedding", "organization")
    list_filter = ("state", "priority", NotificationTypeFilter, "created_at")
    linked_by = ("event", "contact")
    search_fields = ("=id", "=event__id", "name", "recipient", "event__wedding__couple")
    ordering = ("-id",)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("name", "recipient"),
                    "about",
                    "did_they_get_it",
                    "why_not_by",
                    ("urgency", "shown_state", "made"),
                    "event",
                )
            },
        ),
        ("What happened, in order", {"fields": ("timeline",)}),
        ("Deliveries", {"fields": ("messages",)}),
    )
    urgency = coloured("Priority", "priority", PRIORITY_COLOURS)
    shown_state = coloured("Plan", "state", STATE_COLOURS)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return answers.with_what_came(super().get_queryset(request))

    made = moment("Routed", "created_at")

    @column("About", ordering="event__type")
    def about(self, notification: Notification) -> str:
        wedding = f" · {notification.event.wedding.couple}" if notification.event.wedding else ""
        return f"{notification.event.type}{wedding}"

    @column("Did they get it?")
    def did_they_get_it(self, notification: Notification) -> SafeString:
        return got(notification)

    @column("Channels not used, and why")
    def why_not_by(self, notification: Notification) -> SafeString | str:
        said = answers.not_used(notification)
        return lines(f"{channel}: {why}" for channel, why in said) if said else "none"

    @column("Trace")
    def timeline(self, notification: Notification) -> SafeString:
        rows = (
            (f"{timezone.localtime(line.at):%Y-%m-%d %H:%M:%S.%f}"[:-3], line.what, line.channel, line.text)
            for line in answers.timeline(notification)
        )
        return table(("When (UTC)", "What", "Channel", "Why, and with what result"), rows)

    @column("Deliveries")
    def messages(self, notification: Notification) -> SafeString:
        rows = (
            (
                each.step,
                each.delivery.channel,
                each.delivery.target,
                each.delivery.state.replace("_", " "),
                link(reverse("admin:integrations_delivery_change", args=[each.delivery_id]), "delivery"),
            )
            for each in notification.sendings.select_related("delivery").order_by("delivery_id")
        )
        return table(("Step", "Channel", "To", "State", ""), rows)


class EventNotificationInline(ReadOnlyInline):
    """An event's recipients, on its page."""

    model = Notification
    tenant_path = "organization"
    fields = ("name", "did_they_get_it", "shown_state")
    readonly_fields = ("did_they_get_it", "shown_state")
    ordering = ("id",)
    shown_state = coloured("Plan", "state", STATE_COLOURS)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request).select_related("event", "organization")
        return answers.with_what_came(rows)

    @column("Did they get it?")
    def did_they_get_it(self, notification: Notification) -> SafeString:
        return got(notification)


class PreferenceInline(TenantInline):
    """What a contact wants to receive; a category that is not listed is wanted."""

    model = Preference
    tenant_path = "contact__organization"
    editors = BY_PLANNERS
    fields = ("category", "channel", "wanted", "source")
    extra = 0


@admin.register(Plan)
class PlanAdmin(TenantAdmin):
    """An organization's own plans, in the form that docs/staff/notifications.md describes."""

    tenant_path = "organization"
    editors = BY_PLANNERS
    list_display = ("category", "organization", "steps")
    list_filter = ("category",)
    search_fields = ("category",)


ChannelEventAdmin.inlines = (*ChannelEventAdmin.inlines, EventNotificationInline)
ContactAdmin.inlines = (*ContactAdmin.inlines, PreferenceInline)
