"""Buttons on a row's page and actions on many rows. They ask first, since following a link must not change anything."""

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
NEWEST, ANSWERED = "newest", "answered"  # hidden fields of a page that asks


def asked(label: str, path: str, question: str, *, act: str = "", leave: str = "") -> Callable[[Act], Any]:
    """A button that acts once its question is confirmed.

    ``act``, ``leave``: labels of the two buttons below the question, if ``label`` and "Back" would be unclear.

    The decorated function gets the row, and returns a sentence about what it did, or a page of its own.
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
    """A page that asks before something is done. Without ``button`` it only informs.

    Its button posts to the same address, together with the ``hidden`` values. ``leave``: the label of the other button,
    which changes nothing. ``table``: rows below the text, by :func:`wedsync.weddings.tenant_admin.looks.table`.
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
    """Pages with buttons that ask; ``actions_detail`` names them."""

    def may_press(self, request: HttpRequest, row: Any) -> bool:
        """Whether this user may press the buttons of a row."""
        return self.has_change_permission(request, row)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """The buttons for a row; none for users who may only view it."""
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
            Http404: the user may not see or change it.
        """
        row = self.get_object(request, unquote(object_id))
        if row is None or not self.may_press(request, row):
            raise Http404
        return row

    def page_of(self, row: Any) -> str:
        """The address of a row's page."""
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[quote(row.pk)])

    def done(self, request: HttpRequest, row: Any, message: str) -> HttpResponse:
        """Record the message in the row's history, show it, and go back to the row's page."""
        self.log_change(request, row, message)
        messages.success(request, message)
        return HttpResponseRedirect(self.page_of(row))


class PastButtonAdmin(ButtonAdmin, ReadOnlyAdmin):
    """Pages of records that nobody edits, with buttons and actions that act on them.

    ``pressed_by``: the roles that may press them.
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
        """The rows of an action that this user may act on, without any that came after the page had asked."""
        mine = rows.filter(organization__in=access(request).organizations(self.pressed_by))
        try:
            return mine.filter(id__lte=UUID(request.POST.get(NEWEST, "")))
        except ValueError:
            return mine

    def choose_again(self, request: HttpRequest, rows: QuerySet[Any]) -> list[tuple[str, object]]:
        """The hidden fields with which the same action gets the same rows again."""
        newest = rows.order_by("-id").values_list("id", flat=True).first()
        return [
            ("action", request.POST["action"]),
            ("select_across", request.POST.get("select_across", "0")),
            *((ACTION_CHECKBOX_NAME, key) for key in request.POST.getlist(ACTION_CHECKBOX_NAME)),
            (NEWEST, newest or ""),
            (ANSWERED, "yes"),
        ]

    def too_many(self, request: HttpRequest, rows: QuerySet[Any]) -> bool:
        """Whether too many rows were chosen for one action; if so, shows an error."""
        found = rows.order_by()[: MOST_AT_ONCE + 1].count()
        if found > MOST_AT_ONCE:
            messages.error(request, f"Choose at most {MOST_AT_ONCE} at a time. The filters at the side help.")
        return found > MOST_AT_ONCE
