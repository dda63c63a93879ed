"""Forms of connections and their secrets."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from integrations.models import Connection, System
from webhooks.callbacks import PROVIDERS
from webhooks.callbacks.base import Provider
from webhooks.connection_urls import refusal
from webhooks.vendor_networks import MOST_NETWORKS, vendor_network
from wedsync.weddings.tenant_admin.forms import TenantForm

OVERLAPS: dict[str, tuple[str, timedelta | None]] = {
    "hour": ("1 hour", timedelta(hours=1)),
    "day": ("24 hours", timedelta(hours=24)),
    "week": ("7 days", timedelta(days=7)),
    "open": ("until I end them", None),
    "none": ("not at all: end them now", timedelta()),
}


class NetworksField(forms.CharField):
    """Networks as text, separated by commas; only those that could be a vendor's own."""

    def prepare_value(self, value: Any) -> Any:
        """The list as text."""
        return ", ".join(value) if isinstance(value, list) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare the texts."""
        return super().has_changed(self.prepare_value(initial), data)

    def clean(self, value: Any) -> Any:
        """The text as a list."""
        words = [word.strip() for word in str(super().clean(value)).split(",") if word.strip()]
        if len(words) > MOST_NETWORKS:
            raise forms.ValidationError(f"Write at most {MOST_NETWORKS} networks.")
        try:
            return list(dict.fromkeys(map(vendor_network, words)))
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error


class ConnectionForm(TenantForm):
    """A connection."""

    limit_per_hour = forms.IntegerField(
        min_value=1,
        max_value=1_000_000,
        required=False,
        widget=UnfoldAdminIntegerFieldWidget(),
        help_text="The most verified requests per hour. Empty: the general limit. For none, disable the connection.",
    )
    networks = NetworksField(
        required=False,
        widget=UnfoldAdminTextInputWidget(),
        help_text="The vendor's networks, such as 203.0.113.0/24, separated by commas, without a limit per sender.",
    )

    class Meta:
        model = Connection
        fields = ("system", "limit_per_hour", "networks")

    def clean_system(self) -> System:
        """Refuse a system that sends us nothing."""
        system: System = self.cleaned_data["system"]
        if reason := refusal(system):
            raise forms.ValidationError(reason)
        return system


class OverlapForm(forms.Form):
    """How long the older secrets stay valid."""

    overlap = forms.ChoiceField(
        label="The older ones stay valid",
        choices=[(name, label) for name, (label, _) in OVERLAPS.items()],
        initial="day",
        widget=UnfoldAdminSelectWidget(),
        help_text="Long enough for the other side to switch to the new one.",
    )

    @property
    def chosen(self) -> timedelta | None:
        """The time; ``None``: until staff end them."""
        return OVERLAPS[self.cleaned_data["overlap"]][1]


class ProviderSecretForm(OverlapForm):
    """A secret that the provider made. It is never shown on the page."""

    text = forms.CharField(
        label="The provider's secret",
        max_length=500,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text=" ".join(f"{each.label}: {each.secret}." for each in PROVIDERS.values()),
    )
    field_order = ("text", "overlap")

    def __init__(self, provider: Provider, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._provider = provider

    def clean_text(self) -> str:
        """Refuse a text that could never verify a signature; the message does not contain it."""
        text = str(self.cleaned_data["text"])
        try:
            self._provider.check_secret(text)
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error
        return text
