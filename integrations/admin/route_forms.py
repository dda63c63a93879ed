"""Forms for a route, its conditions, and a dry run."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from integrations.models import ExternalReference, Route, RouteCondition, System
from integrations.routing import dry_run
from integrations.routing.dry_run import CannotTry, Paste
from integrations.rules import event_filters
from integrations.rules.conditions import Operator
from wedsync.live.event_types.catalogue import CATALOGUE, is_custom
from wedsync.live.models import ChannelEvent
from wedsync.queues import Priority
from wedsync.weddings.models import Contact, ContactChannel, Organization, Wedding
from wedsync.weddings.tenant_admin.access import Access
from wedsync.weddings.tenant_admin.forms import TenantForm
from wedsync.wire import strict_json

_OF_TEXT = {Operator.STARTS_WITH, Operator.MATCHES, Operator.CONTAINS}


def _several(choices: list[tuple[str, str]], help_text: str) -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        choices=choices, required=False, help_text=help_text, widget=UnfoldAdminCheckboxSelectMultipleWidget()
    )


class RouteForm(TenantForm):
    """A route, with check boxes for its lists."""

    event_types = _several([(name, name) for name in sorted(CATALOGUE)], "None ticked and no pattern: every type.")
    type_patterns = forms.CharField(
        label="Patterns of event types",
        required=False,
        max_length=500,
        help_text="In addition to the ticked ones, separated by commas: booking.*, *.cancelled, custom.*, *.",
        widget=UnfoldAdminTextInputWidget(),
    )
    roles = _several(list(Contact.Role.choices), "People involved in the wedding.")
    channels = _several(list(ContactChannel.choices), "None ticked: the channel that each person prefers.")
    mapping = forms.JSONField(
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 5, "class": "font-mono"}),
        help_text='An object: {"their.field": "our.path", "fixed": {"const": 1}}. For people: headline, text.',
    )
    template = forms.CharField(
        required=False,
        strip=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 8, "class": "font-mono"}),
        help_text='Or a Jinja2 template that produces a JSON object: {"hall": "{{ payload.extra.hall }}", '
        '"changes": {{ payload.changes|tojson }}}. It can use payload, event and wedding.',
    )

    class Meta:
        model = Route
        fields = (
            "name", "active", "channel_pattern", "event_types", "active_from", "active_until", "target", "system",
            "roles", "everyone", "contact", "channels", "live_channel", "echo", "priority", "mapping", "template",
        )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        stored = self.instance.event_types or []
        self.initial["type_patterns"] = ", ".join(
            each for each in stored if event_filters.is_wildcard(each) or is_custom(each)
        )
        self.initial["event_types"] = [each for each in stored if each in CATALOGUE]

    def clean(self) -> dict[str, Any]:
        """Combine ticked types and patterns."""
        cleaned = super().clean()
        typed = cleaned.get("type_patterns") or ""
        patterns = list(dict.fromkeys(each.strip() for each in typed.split(",") if each.strip()))
        try:
            event_filters.check(patterns)
        except ValueError as error:
            self.add_error("type_patterns", str(error))
        else:
            cleaned["event_types"] = [*(cleaned.get("event_types") or ()), *patterns]
        if cleaned.get("mapping") is None and "mapping" not in self.errors:
            cleaned["mapping"] = {}
        if not (cleaned.get("template") or "").strip():
            cleaned["template"] = ""
        return cleaned


class ConditionForm(TenantForm):
    """A condition. Its value is JSON, but a word needs no quotes."""

    value = forms.CharField(
        required=False,
        max_length=2000,
        widget=UnfoldAdminTextInputWidget(),
        help_text="A word, a number or a date; for “is one of” several, separated by commas; or JSON.",
    )

    class Meta:
        model = RouteCondition
        fields = ("path", "operator", "value", "effect")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        new = self._state_is_new()
        self.initial["value"] = "" if new else written(self.instance.value, self.instance.operator)

    def clean(self) -> dict[str, Any]:
        """Read the value as its operator needs it."""
        cleaned = super().clean()
        if "value" in cleaned:
            cleaned["value"] = read(cleaned["value"], cleaned.get("operator") or "")
        return cleaned


def read(text: str, operator: str) -> Any:
    """The value that somebody typed for an operator."""
    text = text.strip()
    if operator == Operator.EXISTS and not text:
        return True
    value = _loosely(text)
    if operator in _OF_TEXT and not isinstance(value, str):
        return text
    if operator == Operator.IN and not isinstance(value, list):
        return [_loosely(each.strip()) for each in text.split(",") if each.strip()]
    return value


def written(value: Any, operator: str) -> str:
    """A value as a person would type it."""
    as_json = json.dumps(value, ensure_ascii=False)
    return value if isinstance(value, str) and read(value, operator) == value else as_json


def _loosely(text: str) -> Any:
    if not text:
        return None
    try:
        return strict_json.loads(text.encode())
    except (strict_json.NotStrictJson, UnicodeEncodeError):
        return text


class DryRunForm(forms.Form):
    """A stored event by its id, or a pasted one."""

    event = forms.UUIDField(
        label="Event id", required=False, widget=UnfoldAdminTextInputWidget(), help_text="Or paste one below."
    )
    organization = forms.ModelChoiceField(
        Organization.objects.none(), required=False, widget=UnfoldAdminSelectWidget(), help_text="For a pasted event."
    )
    type = forms.ChoiceField(
        required=False,
        choices=[("", "—"), *((name, name) for name in sorted(CATALOGUE)), ("custom.example", "custom.example")],
        widget=UnfoldAdminSelectWidget(),
        help_text="custom.example stands for types of your own.",
    )
    payload = forms.CharField(
        required=False,
        max_length=strict_json.LARGEST,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 6, "class": "font-mono"}),
        help_text='With our field names, as JSON: {"guest_count": 120}.',
    )
    wedding = forms.ModelChoiceField(Wedding.objects.none(), required=False)
    system = forms.ModelChoiceField(
        System.objects.none(), required=False, label="Came from", help_text="Empty: from no system."
    )
    priority = forms.ChoiceField(
        required=False,
        choices=[("", "its type's own"), *Priority.choices],
        widget=UnfoldAdminSelectWidget(),
    )

    def __init__(self, asked_by: Access, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._asked_by = asked_by
        self._bound("organization", asked_by.organizations())
        self._bound("wedding", asked_by.bound(Wedding.objects.all(), "organization"))
        self._bound("system", asked_by.bound(System.objects.all(), "organization"))
        for name in ("wedding", "system"):
            self.fields[name].widget = AutocompleteSelect(ExternalReference._meta.get_field(name), admin.site)  # noqa: SLF001
            self.fields[name].widget.choices = self.fields[name].choices  # type: ignore[attr-defined]
        if asked_by.organizations().count() == 1:
            del self.fields["organization"]

    def _bound(self, name: str, rows: Any) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101  (for the type checker)
        field.queryset = rows

    def clean(self) -> dict[str, Any]:
        """Find or make the event; ``cleaned_data["subject"]`` is the event and the names of its channels."""
        cleaned = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        if cleaned.get("event"):
            cleaned["subject"] = self._stored(cleaned)
        elif cleaned.get("type"):
            cleaned["subject"] = self._pasted(cleaned)
        else:
            self.add_error("event", "Enter an event's id, or choose a type below and paste its payload.")
        return cleaned

    def _stored(self, cleaned: dict[str, Any]) -> Any:
        rows = self._asked_by.bound(ChannelEvent.objects.all(), "organization")
        event = rows.select_related("wedding").filter(pk=cleaned["event"]).first()
        if event is None:
            self.add_error("event", "There is no such event.")
        return event, None

    def _pasted(self, cleaned: dict[str, Any]) -> Any:
        wedding, system = cleaned.get("wedding"), cleaned.get("system")
        owner = next((row.organization for row in (wedding, system) if row), None)
        owner = owner or cleaned.get("organization") or self._only_organization()
        if owner is None:
            self.add_error("organization", "Choose one.")
            return None
        try:
            payload = strict_json.loads((cleaned["payload"] or "{}").encode())
            if not isinstance(payload, dict):
                raise strict_json.NotStrictJson("the body is not an object")
        except (strict_json.NotStrictJson, UnicodeEncodeError) as error:
            self.add_error("payload", str(error).replace("the body", "It", 1))
            return None
        try:
            return dry_run.pasted(Paste(owner, cleaned["type"], payload, wedding, system, cleaned["priority"]))
        except CannotTry as error:
            for problem in error.problems:
                name = {"source_system": "system"}.get(problem.field, problem.field.partition(".")[0])
                self.add_error(name if name in self.fields else None, f"{problem.field} {problem.reason}.")
            return None

    def _only_organization(self) -> Organization | None:
        found = list(self._asked_by.organizations()[:2])
        return found[0] if len(found) == 1 else None
