"""Forms for an organization's own templates."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from notifications.message_templates import previews, versions
from notifications.models import MessageTemplate
from notifications.models.templates import LOCALES, TEMPLATE_TYPES
from wedsync.live.event_types.catalogue import is_custom
from wedsync.live.models import ChannelEvent
from wedsync.weddings.models import ContactChannel
from wedsync.weddings.tenant_admin.forms import TenantForm

REGIONS = [
    ("de-AT", "German (Austria)"), ("de-CH", "German (Switzerland)"), ("en-GB", "English (United Kingdom)"),
    ("en-US", "English (United States)"), ("es-MX", "Spanish (Mexico)"), ("fr-CA", "French (Canada)"),
    ("fr-CH", "French (Switzerland)"),
]  # fmt: skip
EXAMPLE = ""


class TemplateForm(TenantForm):
    """A template. ``seen``: the newest version its writer knew, so that nobody overwrites a version they never saw."""

    event_type = forms.ChoiceField(
        choices=[("", "One of your own, named below"), *TEMPLATE_TYPES],
        required=False,
        widget=UnfoldAdminSelectWidget(),
    )
    own_type = forms.CharField(
        required=False,
        max_length=64,
        widget=UnfoldAdminTextInputWidget(),
        help_text="Or a type of your own, as your clients publish it: custom.<word>.",
    )
    channel = forms.ChoiceField(
        choices=[("", "Every channel"), *ContactChannel.choices], required=False, widget=UnfoldAdminSelectWidget()
    )
    locale = forms.ChoiceField(label="Language", choices=[*LOCALES, *REGIONS], widget=UnfoldAdminSelectWidget())
    text = forms.CharField(
        strip=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 12, "class": "font-mono"}),
        help_text="First line: the headline. Each further line: a fact, as “Label: value”. "
        "You can use payload, event, wedding and contact, such as {{ wedding.couple }} and {{ wedding.date|day }}.",
    )
    seen = forms.IntegerField(required=False, widget=forms.HiddenInput())

    class Meta:
        model = MessageTemplate
        fields = ("event_type", "channel", "locale", "text", "note")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self._state_is_new() or "text" not in self.fields:
            return
        row = self.instance
        newest = versions.versions_beside(row).values_list("version", flat=True).first()
        self.initial.update({"seen": newest, "note": ""})
        for name in ("event_type", "channel", "locale"):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)  # noqa: S101  (for the type checker)
            field.disabled = True
            stored = getattr(row, name)
            field.choices = [*TemplateForm.base_fields[name].choices, (stored, stored)]  # type: ignore[attr-defined]

    def clean_text(self) -> str:
        """With plain line ends instead of a browser's."""
        return str(self.cleaned_data["text"]).replace("\r\n", "\n")

    def clean(self) -> dict[str, Any]:
        """Refuse a template that cannot be sent, and one that would overwrite a version its writer has not seen."""
        cleaned = super().clean()
        if self._state_is_new():
            self._choose_type(cleaned)
        if "text" in self.fields and not self.errors:
            names = ("text", "event_type", "channel", "locale")
            try:
                versions.check(*(cleaned.get(name, getattr(self.instance, name)) for name in names))
            except ValidationError as error:
                self.add_error(None, error)
        if not self._state_is_new() and "text" in self.fields:
            newest = versions.versions_beside(self.instance).values_list("version", flat=True).first()
            if cleaned.get("seen") is not None and cleaned["seen"] != newest:
                self.add_error("text", f"Somebody else has saved version {newest} in the meantime. Read it first.")
        return cleaned

    def _choose_type(self, cleaned: dict[str, Any]) -> None:
        own = (cleaned.get("own_type") or "").strip()
        if bool(own) == bool(cleaned.get("event_type")):
            self.add_error("event_type", "Choose a type, or name one of your own.")
        elif own and not is_custom(own):
            self.add_error("own_type", f"“{own}” is not a type of your own. Write custom.<word>: a to z, digits, _.")
        elif own:
            cleaned["event_type"] = own

    def validate_constraints(self) -> None:
        """Which version is active is decided when it is saved."""


class BeginForm(forms.Form):
    """Which shipped template to start from."""

    event_type = forms.ChoiceField(choices=TEMPLATE_TYPES, widget=UnfoldAdminSelectWidget())
    locale = forms.ChoiceField(label="Language", choices=[*LOCALES, *REGIONS], widget=UnfoldAdminSelectWidget())


class PreviewForm(forms.Form):
    """Which event to preview a template with."""

    event = forms.ChoiceField(required=False, widget=UnfoldAdminSelectWidget())

    def __init__(self, template: MessageTemplate, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._template = template
        self._events = {str(event.id): event for event in previews.events_for(template)}
        field = self.fields["event"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101  (for the type checker)
        named = [(key, _name(event)) for key, event in self._events.items()]
        field.choices = [(EXAMPLE, "An example that has every field"), *named]

    def chosen(self) -> ChannelEvent:
        """The event, once the form is valid."""
        key = self.cleaned_data["event"]
        return self._events[key] if key else previews.example_for(self._template)


def _name(event: ChannelEvent) -> str:
    about = f" · {event.wedding.couple}" if event.wedding else ""
    return f"{event.received_at:%Y-%m-%d %H:%M} · {event.type}{about}"
