"""How admin pages look: coloured labels, formatted JSON, comma lists, and pages shown only once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import unfold.decorators
from django import forms
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

Column = TypeVar("Column", bound=Callable[..., Any])

_LABEL = "inline-block font-semibold rounded-default text-[11px] uppercase whitespace-nowrap h-6 leading-6 px-2"
GOOD = "bg-green-100 text-green-700 dark:bg-green-500/20 dark:text-green-400"
BUSY = "bg-blue-100 text-blue-700 dark:bg-blue-500/20 dark:text-blue-400"
WARNING = "bg-orange-100 text-orange-700 dark:bg-orange-500/20 dark:text-orange-400"
BAD = "bg-red-100 text-red-700 dark:bg-red-500/20 dark:text-red-400"
_GREY = "bg-base-500/8 text-base-700 dark:bg-base-500/20 dark:text-base-200"
PRIORITY_COLOURS = {"urgent": BAD, "high": WARNING, "normal": BUSY}


def coloured(description: str, field: str, colours: dict[str, str]) -> Callable[[Any, Any], Any]:
    """A field of choices as a coloured label, in lists and on pages; a value without a colour is grey.

    Unfold's own labels work only in lists; these look the same.
    """

    def shown(_pages: Any, row: Any) -> SafeString:
        return label(str(getattr(row, field)), colours)

    return column(description, ordering=field)(shown)


def label(value: str, colours: dict[str, str]) -> SafeString:
    """One word as a coloured label."""
    return format_html('<span class="{} {}">{}</span>', _LABEL, colours.get(value, _GREY), value.replace("_", " "))


def column(description: str, ordering: str | None = None) -> Callable[[Column], Column]:
    """A computed column or field."""

    def named(function: Column) -> Column:
        shown: Column = unfold.decorators.display(function, description=description, ordering=ordering)
        return shown

    return named


def moment(description: str, field: str) -> Callable[[Any, Any], Any]:
    """A time to the second, short enough for a list."""

    def shown(_pages: Any, row: Any) -> str:
        value = getattr(row, field)
        return f"{timezone.localtime(value):%Y-%m-%d %H:%M:%S}" if value else "-"

    return column(description, ordering=field)(shown)


def link(url: str, text: str) -> SafeString:
    """A link inside a page."""
    return format_html('<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>', url, text)


def button(description: str, path: str) -> Callable[[Column], Column]:
    """A button on a row's page; its function asks for confirmation on GET and acts on POST."""

    def named(function: Column) -> Column:
        shown: Column = unfold.decorators.action(function, description=description, url_path=path)
        return shown

    return named


def preformatted(text: str) -> SafeString:
    """A long text, escaped, with its line breaks; it scrolls instead of widening the page."""
    return format_html(
        '<pre class="max-h-96 max-w-full overflow-auto whitespace-pre-wrap break-words rounded-default border '
        'border-base-200 p-3 text-xs dark:border-base-700">{}</pre>',
        text,
    )


def lines(texts: Iterable[str]) -> SafeString:
    """Sentences, each on a line."""
    return format_html_join(mark_safe("<br>"), "{}", ((text,) for text in texts))


def table(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> SafeString:
    """A small table inside a page; it scrolls instead of widening the page."""
    head = format_html_join("", '<th scope="col" class="px-2 py-1 text-left">{}</th>', ((name,) for name in columns))
    body = format_html_join("", "<tr>{}</tr>", ((_cells(row),) for row in rows))
    return format_html('<div class="overflow-x-auto"><table><tr>{}</tr>{}</table></div>', head, body)


def _cells(row: Iterable[object]) -> SafeString:
    return format_html_join("", '<td class="px-2 py-1">{}</td>', ((cell,) for cell in row))


def pretty(text: str) -> SafeString:
    """JSON with indents; anything else, even if nested too deeply or not valid as UTF-8, as it is."""
    try:
        shown = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
        shown.encode()
    except (ValueError, RecursionError):
        return preformatted(text)
    return preformatted(shown)


def show_once(
    request: HttpRequest, pages: Any, row: Any, *, title: str, note: str, facts: dict[str, str]
) -> HttpResponse:
    """A page with something that is stored nowhere in clear text: never cached, and gone once left."""
    context = {
        **pages.admin_site.each_context(request),
        "opts": pages.opts,
        "original": row,
        "title": title,
        "note": note,
        "facts": facts,
    }
    return TemplateResponse(request, "admin/shown_once.html", context, headers={"Cache-Control": "no-store"})


class ChosenField(forms.ChoiceField):
    """A word chosen from a list. A row's current word stays if it is valid, even if the list does not offer it.

    ``check``: raises ``ValidationError`` for an invalid word.
    """

    def __init__(self, *, offered: Sequence[tuple[str, str]], check: Callable[[str], None], **kwargs: Any) -> None:
        kwargs.setdefault("widget", UnfoldAdminSelectWidget())
        super().__init__(choices=[("", "Choose"), *offered], **kwargs)
        self.offered, self.check = offered, check

    def get_bound_field(self, form: forms.BaseForm, field_name: str) -> Any:
        """The field, with the row's current word among the choices."""
        held = form.get_initial_for_field(self, field_name)
        if held and self._is_valid(str(held)) and not self.valid_value(str(held)):
            self.choices = [("", "Choose"), *self.offered, (held, held)]
        return super().get_bound_field(form, field_name)

    def validate(self, value: Any) -> None:
        """Accept any valid word: the list is only a help."""
        forms.Field.validate(self, value)
        if value:
            self.check(value)

    def _is_valid(self, value: str) -> bool:
        try:
            self.check(value)
        except forms.ValidationError:
            return False
        return True


class CommaListField(forms.CharField):
    """A comma-separated list of known words, whose order counts."""

    def __init__(self, *, words: list[str], **kwargs: Any) -> None:
        kwargs.setdefault("widget", UnfoldAdminTextInputWidget())
        super().__init__(**kwargs)
        self.words = words

    def prepare_value(self, value: Any) -> Any:
        """The list as text."""
        return ", ".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> Any:
        """The text as a list."""
        found = [word.strip().lower() for word in str(super().clean(value)).split(",") if word.strip()]
        unknown = [word for word in found if word not in self.words]
        if unknown:
            raise forms.ValidationError(f"Unknown: {', '.join(unknown)}. Known: {', '.join(self.words)}.")
        return list(dict.fromkeys(found))
