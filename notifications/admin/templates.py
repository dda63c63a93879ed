"""Admin of an organization's own templates: each save makes a new version, and a preview shows the result."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from integrations.admin.buttons import ButtonAdmin, Question, asked
from notifications.admin.template_forms import BeginForm, PreviewForm, TemplateForm
from notifications.message_templates import previews, versions
from notifications.message_templates.versions import ChangedMeanwhile
from notifications.models import MessageTemplate
from notifications.models.templates import TEMPLATE_TYPES
from notifications.wording.languages import LANGUAGES
from notifications.wording.writing import shipped
from wedsync.weddings.tenant_admin.access import BY_PLANNERS
from wedsync.weddings.tenant_admin.looks import GOOD, button, column, label, link, moment, table

_PAGES = "admin:notifications_messagetemplate"


@admin.register(MessageTemplate)
class MessageTemplateAdmin(ButtonAdmin):
    """Rows never change: saving one makes the next version. None is deleted."""

    tenant_path = "organization"
    editors = BY_PLANNERS
    form = TemplateForm
    list_display = ("event_type", "channel", "locale", "version", "in_force", "made", "note")
    list_select_related = ("organization", "created_by")
    list_filter = ("event_type", "channel", "locale", "active")
    search_fields = ("text", "note", "event_type")
    ordering = ("event_type", "channel", "locale", "-version", "id")
    actions_list = ("begin",)
    actions_detail = ("preview", "use_again", "withdraw")
    made = moment("Created", "created_at")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        several, own = self._has_several(request, obj), () if obj else ("own_type",)
        first = (None, {"fields": (*(("organization",) if several else ()), "event_type", *own, "channel", "locale")})
        words = (None, {"fields": ("text", "note", *(("seen",) if self._writes(request, obj) else ()))})
        return [first, words, *([("Versions", {"fields": ("history",)})] if obj else [])]

    def _writes(self, request: HttpRequest, obj: Any) -> bool:
        return self.has_add_permission(request) if obj is None else self.has_change_permission(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [*super().get_readonly_fields(request, obj), *(("history",) if obj else ())]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never, since messages may have been written with it."""
        return False

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """The shipped template, where the URL names its type and language."""
        found: dict[str, Any] = super().get_changeform_initial_data(request)
        name, language = request.GET.get("event_type", ""), request.GET.get("locale", "en").split("-")[0]
        if name in dict(TEMPLATE_TYPES) and language in LANGUAGES:
            found["text"] = shipped(language, name) or shipped("en", name)
        return found

    @column("Active", ordering="active")
    def in_force(self, row: MessageTemplate) -> SafeString:
        return label("active" if row.active else "not active", {"active": GOOD})

    @column("History")
    def history(self, row: MessageTemplate) -> SafeString:
        rows = (
            (
                link(self.page_of(each), f"version {each.version}"),
                label("active", {"active": GOOD}) if each.active else "",
                f"{timezone.localtime(each.created_at):%Y-%m-%d %H:%M}",
                each.created_by.get_username() if each.created_by else "",
                each.note,
            )
            for each in versions.versions_beside(row).select_related("created_by")[:100]
        )
        return table(("Version", "", "Created", "By", "Note"), rows)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        self.check_saved(request, obj, change=change)
        made = versions.put_in_force(
            obj.organization,
            obj.event_type,
            obj.channel,
            obj.locale,
            obj.text,
            by=request.user,
            note=obj.note,
            seen=form.cleaned_data.get("seen") if change else None,
        )
        obj.__dict__.update(made.__dict__)  # what is shown next, such as the history, belongs to the new row

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show an error where somebody else saved a version at the same moment."""
        try:
            found: HttpResponse = super().changeform_view(request, *args, **kwargs)
        except ChangedMeanwhile as error:
            messages.error(request, str(error))
            return HttpResponseRedirect(request.get_full_path())
        return found

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        messages.success(request, f"{obj} is active.")
        return HttpResponseRedirect(self.page_of(obj))

    def is_offered(self, row: MessageTemplate, path: str) -> bool:
        return {"use-again": not row.active, "withdraw": row.active}.get(path, True)

    @button("Start from a shipped template", "begin")
    def begin(self, request: HttpRequest) -> HttpResponse:
        """Ask for type and language, then open the form for a new template filled with the shipped one."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = BeginForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            return HttpResponseRedirect(f"{reverse(f'{_PAGES}_add')}?{urlencode(form.cleaned_data)}")
        return Question("Start from a shipped template", "Continue", reverse(f"{_PAGES}_changelist"), form=form).page(
            request, self
        )

    @button("Preview", "preview")
    def preview(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show the message about an event of the same organization. Nothing is stored or sent."""
        row = self.get_object(request, object_id)
        if row is None or not self.has_view_permission(request, row):
            raise Http404
        form = PreviewForm(row, request.POST if request.method == "POST" else None)
        shown = []
        if not form.is_bound:
            shown = list(previews.looks(row, previews.example_for(row)))
        elif form.is_valid():
            shown = list(previews.looks(row, form.chosen()))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"Preview: {row}",
            "form": form,
            "shown": shown,
            "back": self.page_of(row),
        }
        return TemplateResponse(request, "admin/template_preview.html", context)

    @asked("Use this version again", "use-again", "Its text becomes the next version and is active immediately.")
    def use_again(self, request: HttpRequest, row: MessageTemplate) -> str | HttpResponse:
        try:
            made = versions.use_again(row, request.user)
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
            return HttpResponseRedirect(self.page_of(row))
        return self.done(request, made, f"{made} is active.")

    @asked("Withdraw", "withdraw", "From now on the shipped template is used. All versions stay here.")
    def withdraw(self, request: HttpRequest, row: MessageTemplate) -> str:
        done = versions.withdraw(row)
        return "The shipped template is active." if done else "This version was not active."
