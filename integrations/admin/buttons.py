"""Buttons on a row's page and actions on many rows, which ask first, since following a link must change nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import quote, unquote
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import SafeString

from wedsync.weddings.tenant_admin.access import BY_SUPPORT, Role, access
from wedsync.weddings.tenant_admin.looks import button
from wedsync.weddings.tenant_admin.pages import ReadOnlyAdmin, TenantAdmin

Act = Callable[[Any, HttpRequest, Any], str | HttpResponse]
MOST_AT_ONCE = 10_000
BACK = "Back"
NEWEST, ANSWERED = "newest", "answered"  # what a page that asks posts along


def asked(label: str, path: str, question: str, *, act: str = "", leave: str = "") -> Callable[[Act], Any]:
    """A button that acts once its question is answered.

    ``act``, ``leave``: what the buttons below the question say that they do, where its label and "Back" do not say it.

    The function below it gets the row, and returns what it did in a sentence, or a page of its own.
    """

    def made(verb: Act) -> Any:
        @wraps(verb)
        def view(pages: ButtonAdmin, request: HttpRequest, object_id: str) -> HttpResponse:
            row = pages.row_to_press(request, object_id)
            if request.method != "POST":
                asks = Question(f"{label}: {row}", act or label, pages.page_of(row), question, leave=leave or BACK)
                return asks.page(request, pages)
            done = verb(pages, request, row)
            return pages.done(request, row, done) if isinstance(done, str) else done

        return button(label, path)(view)

    return made


@dataclass(frozen=True)
class Question:
    """What is asked on a page before something is done. Without ``button`` there is nothing to do, and it only tells.

    Its button posts to the same address; ``hidden`` are values that it posts along. ``leave``: what the other button
    says, which changes nothing. ``table``: rows below the text, by :func:`wedsync.weddings.tenant_admin.looks.table`.
    """

    title: str
    button: str
    back: str
    text: str = ""
    facts: Sequence[tuple[str, object]] = ()
    form: forms.Form | None = None
    hidden: Sequence[tuple[str, object]] = ()
    leave: str = BACK
    table: SafeString | None = None

    def page(self, request: HttpRequest, pages: Any) -> HttpResponse:
        """The page."""
        context = {**pages.admin_site.each_context(request), "opts": pages.opts, **vars(self)}
        return TemplateResponse(request, "admin/question.html", context)


class ButtonAdmin(TenantAdmin):
    """Pages with such buttons; ``actions_detail`` names them."""

    def may_press(self, request: HttpRequest, row: Any) -> bool:
        """Whether the buttons of a row are this user's to press."""
        return self.has_change_permission(request, row)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """No buttons for those who may only look."""
        row = self.get_object(request, unquote(str(object_id)))
        if row is None or not self.may_press(request, row):
            return []
        found: list[Any] = super().get_actions_detail(request, object_id)  # type: ignore[misc]
        return [each for each in found if self.is_offered(row, each.path)]

    def is_offered(self, row: Any, path: str) -> bool:
        """Whether a button, named by its path, makes sense for a row."""
        return True

    def row_to_press(self, request: HttpRequest, object_id: str) -> Any:
        """The row behind a button.

        Raises:
            Http404: it is not there for this user.
        """
        row = self.get_object(request, unquote(object_id))
        if row is None or not self.may_press(request, row):
            raise Http404
        return row

    def page_of(self, row: Any) -> str:
        """The address of a row's page."""
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[quote(row.pk)])

    def done(self, request: HttpRequest, row: Any, message: str) -> HttpResponse:
        """Note it in the row's history, say so, and go back to its page."""
        self.log_change(request, row, message)
        messages.success(request, message)
        return HttpResponseRedirect(self.page_of(row))


class PastButtonAdmin(ButtonAdmin, ReadOnlyAdmin):
    """Pages of what happened, which nobody changes, with buttons and actions that make more happen.

    ``pressed_by``: the roles that may.
    """

    pressed_by: ClassVar[frozenset[Role]] = BY_SUPPORT

    def may_press(self, request: HttpRequest, row: Any) -> bool:
        """By role."""
        return access(request).changes(self.organization_of(row), self.pressed_by)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """By role; nothing is ever deleted."""
        if not access(request).changes_somewhere(self.pressed_by):
            return {}
        return dict(TenantAdmin.get_actions(self, request))

    def chosen(self, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        """The rows of an action that are this user's to press, and none that came after the page had asked."""
        mine = rows.filter(organization__in=access(request).organizations(self.pressed_by))
        try:
            return mine.filter(id__lte=UUID(request.POST.get(NEWEST, "")))
        except ValueError:
            return mine

    def choose_again(self, request: HttpRequest, rows: QuerySet[Any]) -> list[tuple[str, object]]:
        """What a page that asks must post, so that the same action gets the same rows."""
        newest = rows.order_by("-id").values_list("id", flat=True).first()
        return [
            ("action", request.POST["action"]),
            ("select_across", request.POST.get("select_across", "0")),
            *((ACTION_CHECKBOX_NAME, key) for key in request.POST.getlist(ACTION_CHECKBOX_NAME)),
            (NEWEST, newest or ""),
            (ANSWERED, "yes"),
        ]

    def too_many(self, request: HttpRequest, rows: QuerySet[Any]) -> bool:
        """Whether more rows were chosen than one action takes; says so."""
        found = rows.order_by()[: MOST_AT_ONCE + 1].count()
        if found > MOST_AT_ONCE:
            messages.error(request, f"Choose at most {MOST_AT_ONCE} at once. The filters at the side help.")
        return found > MOST_AT_ONCE
