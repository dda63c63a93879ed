"""Buttons on a row's page, which ask first, since following a link must change nothing."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.admin.utils import quote, unquote
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from wedsync.weddings.admin_looks import button, confirm
from wedsync.weddings.tenant_admin import TenantAdmin

Act = Callable[[Any, HttpRequest, Any], str | HttpResponse]


def asked(label: str, path: str, question: str) -> Callable[[Act], Any]:
    """A button that acts once its question is answered.

    The function below it gets the row, and returns what it did in a sentence, or a page of its own.
    """

    def made(act: Act) -> Any:
        @wraps(act)
        def view(pages: ButtonAdmin, request: HttpRequest, object_id: str) -> HttpResponse:
            row = pages.row_to_change(request, object_id)
            if request.method != "POST":
                return confirm(request, pages, row, title=f"{label}: {row}", question=question, button=label)
            done = act(pages, request, row)
            return pages.done(request, row, done) if isinstance(done, str) else done

        return button(label, path)(view)

    return made


class ButtonAdmin(TenantAdmin):
    """Pages with such buttons; ``actions_detail`` names them."""

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """No buttons for those who may only look."""
        row = self.get_object(request, unquote(str(object_id)))
        if row is None or not self.has_change_permission(request, row):
            return []
        found: list[Any] = super().get_actions_detail(request, object_id)  # type: ignore[misc]
        return found

    def row_to_change(self, request: HttpRequest, object_id: str) -> Any:
        """The row behind a button.

        Raises:
            Http404: it is not there for this user.
        """
        row = self.get_object(request, unquote(object_id))
        if row is None or not self.has_change_permission(request, row):
            raise Http404
        return row

    def done(self, request: HttpRequest, row: Any, message: str) -> HttpResponse:
        """Note it in the row's history, say so, and go back to its page."""
        self.log_change(request, row, message)
        messages.success(request, message)
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_change"
        return HttpResponseRedirect(reverse(name, args=[quote(row.pk)]))
