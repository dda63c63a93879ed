"""Admin of receipts: find, inspect and reprocess them."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from kombu.exceptions import OperationalError as QueueAway

from integrations.admin.buttons import ANSWERED, PastButtonAdmin, Question
from integrations.models import ConnectionSecret
from integrations.vendors import VENDORS
from webhooks import tasks
from webhooks.models import Receipt
from webhooks.vendor_events import reprocessing
from webhooks.vendor_events.reprocessing import ReprocessPreview, ReprocessResult
from wedsync.live.event_types.catalogue import CATALOGUE
from wedsync.weddings.tenant_admin.looks import (
    BAD,
    GOOD,
    WARNING,
    button,
    coloured,
    column,
    link,
    moment,
    preformatted,
    pretty,
)

VERDICT_COLOURS = {"accepted": GOOD, "unrecognised": WARNING, "reused_id": WARNING, "rejected": BAD}
SLUGS = (
    "bad-envelope", "body-too-large", "body-too-slow", "event-id-reused", "handshake-refused", "method-not-allowed",
    "not-json", "schema-violation", "signature-malformed", "signature-mismatch", "signature-missing",
    "timestamp-outside-window", "too-many-requests", "unreadable", "unsupported-media-type",
)  # fmt: skip
AT_ONCE = 1_000  # receipts that a page processes while the user waits; more go to a worker
A_TASK = 100  # receipts, so that a task ends long before Redis would redeliver it


class SlugFilter(admin.SimpleListFilter):
    """By the answer's slug; the choices need no query."""

    title = "problem"
    parameter_name = "slug"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        return [(slug, slug) for slug in SLUGS]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(slug=self.value()) if self.value() in SLUGS else queryset


class VendorTypeFilter(admin.SimpleListFilter):
    """By the event's type, in any vendor's or our own name."""

    title = "type"
    parameter_name = "event_type"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        known = set(CATALOGUE).union(*(vendor.event_types for vendor in VENDORS.values()))
        return [(name, name) for name in sorted(known)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(event_type=self.value()) if self.value() else queryset


@admin.register(Receipt)
class ReceiptAdmin(PastButtonAdmin):
    tenant_path = "organization"
    list_display = ("type", "shown_verdict", "slug", "is_signed", "received", "external_id", "connection")
    list_select_related = ("connection__system", "organization")
    list_filter = (
        "verdict", SlugFilter, "signed", "connection__system__kind", "connection", VendorTypeFilter, "received_at",
    )  # fmt: skip
    search_fields = ("=id", "=external_id", "event_type", "=event_id", "=remote_address", "connection__system__name")
    ordering = ("-id",)
    fieldsets = (
        (
            None,
            {"fields": (("type", "external_id"), ("shown_verdict", "slug"), "reason", "errors_table", "event_link")},
        ),
        ("Who sent it", {"fields": ("connection", ("is_signed", "older_secret"), ("remote_address", "received_at"))}),
        ("As received", {"fields": ("size", "body_text", "headers_text")}),
        ("Since then", {"fields": (("reprocessed_at", "unkept"), "id", "correlation_id")}),
    )
    actions_detail = ("reprocess",)
    actions = ("reprocess_selected",)
    received = moment("Received", "received_at")
    shown_verdict = coloured("Verdict", "verdict", VERDICT_COLOURS)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Without the bodies, which may be large; a page loads its own."""
        return super().get_queryset(request).defer("body")

    @column("Type", ordering="event_type")
    def type(self, receipt: Receipt) -> str:
        return receipt.event_type or "unknown"

    @column("Signed", ordering="signed")
    def is_signed(self, receipt: Receipt) -> str:
        if not receipt.signed:
            return "no"
        return "with an older secret" if receipt.older_secret_id else "yes"

    @column("Older secret")
    def older_secret(self, receipt: Receipt) -> str:
        if receipt.older_secret_id is None:
            return "no, the newest" if receipt.signed else "none"
        mine = ConnectionSecret.objects.filter(connection_id=receipt.connection_id)
        return str(mine.filter(id=receipt.older_secret_id).first() or "one that is no longer stored")

    @column("Fields")
    def errors_table(self, receipt: Receipt) -> SafeString | str:
        if not receipt.errors:
            return "none"
        rows = ((each.get("field", ""), each.get("reason", "")) for each in receipt.errors)
        cell = '<tr><td class="font-mono pr-4">{}</td><td>{}</td></tr>'
        return format_html("<table>{}</table>", format_html_join("", cell, rows))

    @column("Size")
    def size(self, receipt: Receipt) -> str:
        kept = len(receipt.body)
        cut = f", the first {kept} kept" if receipt.body_size > kept else ""
        return f"{max(receipt.body_size, kept)} bytes{cut}"

    @column("Body")
    def body_text(self, receipt: Receipt) -> SafeString:
        return pretty(bytes(receipt.body).decode("utf-8", errors="replace"))

    @column("Headers")
    def headers_text(self, receipt: Receipt) -> SafeString:
        return preformatted(json.dumps(receipt.headers, indent=2, ensure_ascii=False))

    @column("Event")
    def event_link(self, receipt: Receipt) -> SafeString | str:
        if receipt.event_id is None:
            return "none"
        return link(reverse("event-trace", args=[receipt.event_id]), "The event's trace")

    @button("Reprocess", "reprocess")
    def reprocess(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show what would happen to one receipt; then do it."""
        receipt = self.row_to_press(request, object_id)
        if request.method == "POST":
            done = reprocessing.reprocess(receipt.pk)
            made = f" Deliveries made: {done.deliveries}." if done.outcome == ReprocessResult.ROUTED_AGAIN else ""
            return self.done(request, receipt, f"{_sentence(done.outcome)} {done.reason}".strip() + made)
        found = reprocessing.preview(Receipt.objects.filter(pk=receipt.pk))
        return _question(found, f"Reprocess {receipt}", self.page_of(receipt), []).page(request, self)

    @admin.action(description="Reprocess")
    def reprocess_selected(self, request: HttpRequest, rows: QuerySet[Receipt]) -> HttpResponse | None:
        """Show what would happen to many, with counts; then do it, or have a worker do it."""
        mine = self.chosen(request, rows)
        if self.too_many(request, mine):
            return None
        if ANSWERED in request.POST:
            self._reprocess_all(request, mine)
            return None
        found = reprocessing.preview(Receipt.objects.filter(pk__in=mine.order_by().values("pk")))
        title = f"Reprocess {found.counts.total()} receipts"
        again = self.choose_again(request, mine)
        return _question(found, title, request.get_full_path(), again).page(request, self)

    def _reprocess_all(self, request: HttpRequest, mine: QuerySet[Receipt]) -> None:
        ids = list(mine.order_by("id").values_list("id", flat=True))
        if len(ids) > AT_ONCE:
            self._hand_over(request, [str(key) for key in ids])
        else:
            counts = reprocessing.reprocess_many(ids)
            told = "; ".join(f"{count} × {outcome.words}" for outcome, count in counts.most_common())
            messages.success(request, f"Reprocessed. {told}.")
        kept = Receipt.objects.filter(id__in=ids).only("id", "event_type", "verdict")
        LogEntry.objects.log_actions(request.user.pk or 0, kept, CHANGE, change_message="Reprocessed with others.")

    def _hand_over(self, request: HttpRequest, ids: list[str]) -> None:
        """Send tasks to the low queue; losing or repeating one does no harm."""
        handed = 0
        try:
            for start in range(0, len(ids), A_TASK):
                tasks.reprocess.delay(ids[start : start + A_TASK])
                handed = min(start + A_TASK, len(ids))
        except QueueAway:
            messages.error(request, f"The queue is away: choose {len(ids) - handed} of {len(ids)} again later.")
        if handed:
            told = f"{handed} receipts are being reprocessed in the background, with low priority."
            messages.success(request, f"{told} Each one's page shows when it was done.")


def _sentence(outcome: ReprocessResult) -> str:
    return f"{outcome.words[0].upper()}{outcome.words[1:]}."


def _question(found: ReprocessPreview, title: str, back: str, hidden: list[tuple[str, object]]) -> Question:
    return Question(
        title=title,
        text="This is what would happen. Nothing has been done yet." if found.does_something else "",
        facts=[
            *((f"{count} ×", _sentence(outcome)) for outcome, count in found.counts.most_common()),
            *((f"Reason, {count} ×", reason) for reason, count in found.common_reasons),
        ],
        hidden=hidden,
        button="Reprocess" if found.does_something else "",
        back=back,
    )
