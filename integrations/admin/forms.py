"""Forms of systems. Credentials go in and never come out again."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from django import forms
from django.conf import settings
from unfold.widgets import (
    UnfoldAdminPasswordWidget,
    UnfoldAdminTextInputWidget,
    UnfoldAdminURLInputWidget,
)

from integrations.addresses import check_target
from integrations.models import System
from integrations.standard_webhooks import secret_key
from integrations.vendors import VENDORS
from wedsync import vault
from wedsync.env import ConfigurationError
from wedsync.weddings.tenant_forms import TenantForm

REMOVE = "-"
_VARIABLE = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*")
_Kind = System.Kind
_VENDORS = (*map(_Kind, VENDORS), _Kind.WEBHOOK)


@dataclass(frozen=True)
class Credential:
    """One stored value: its name, what staff call it, and the kinds of systems that need it."""

    name: str
    label: str
    about: str
    kinds: tuple[System.Kind, ...]
    secret: bool = True

    @property
    def field(self) -> str:
        """Its name in the form."""
        return f"credential_{self.name}"


CREDENTIALS = (
    Credential("access_token", "Access token", "From the system's settings.", (_Kind.WHATSAPP, *_VENDORS)),
    Credential("phone_number_id", "Phone number id", "Of the WhatsApp Business account.", (_Kind.WHATSAPP,), False),
    Credential("webhook_path", "Webhook path", "After /services/ in Slack's webhook URL: T…/B…/…", (_Kind.SLACK,)),
    Credential("api_key", "API key", "Of the mail provider.", (_Kind.EMAIL,)),
    Credential("from", "Sender", "For instance Lakeside Weddings <hello@lakeside.example>.", (_Kind.EMAIL,), False),
    Credential("signing_secret", "Signing secret", "whsec_ and base64; signs what we send.", _VENDORS),
)
CREDENTIAL_FIELDS = tuple(credential.field for credential in CREDENTIALS)


def shown_for(credential: Credential) -> str:
    """When the field is on the page, as the page's script understands it."""
    return "[" + ",".join(f"'{kind.value}'" for kind in credential.kinds) + "].includes(kind)"


class SystemForm(TenantForm):
    """A system. What stays empty keeps its stored value, which is never sent to the page."""

    base_url = forms.URLField(
        assume_scheme="https",
        max_length=500,
        widget=UnfoldAdminURLInputWidget(),
        help_text="Without a slash at the end.",
    )

    class Meta:
        model = System
        fields = ("name", "kind", "base_url")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "kind" in self.fields and not self._state_is_new():
            self.fields["kind"].disabled = True
        self._stored, self._unreadable = self._read()
        for credential in CREDENTIALS:
            if credential.field in self.fields:
                self.fields[credential.field].help_text = self._hint(credential)

    def _read(self) -> tuple[dict[str, str], str]:
        try:
            return vault.as_stored(self.instance.sealed_credentials), ""
        except ConfigurationError as error:
            return {}, str(error)

    def _hint(self, credential: Credential) -> str:
        value = self._stored.get(credential.name, "")
        if self._unreadable:
            standing = f"Can not be read: {self._unreadable}. Enter all values anew."
        elif _VARIABLE.fullmatch(value):
            standing = f"Set, from the variable {value.removeprefix(vault.ENVIRONMENT_PREFIX)}."
        else:
            standing = "Set." if value else "Not set."
        return f"{standing} {credential.about} Empty keeps it, a single {REMOVE} removes it; env:NAME reads a variable."

    def clean_base_url(self) -> str:
        """Refuse at once what no delivery could reach."""
        url = str(self.cleaned_data["base_url"])
        if "base_url" in self.changed_data:
            try:
                check_target(url, settings.OUTBOUND_ALLOW)
            except ValueError as error:
                raise forms.ValidationError(str(error)) from error
        return url

    def clean(self) -> dict[str, Any]:
        """Merge what was typed into what is stored, and encrypt it."""
        cleaned = super().clean()
        kind = cleaned.get("kind") or self.instance.kind
        typed = {
            credential: str(cleaned.get(credential.field) or "").strip()
            for credential in CREDENTIALS
            if kind in credential.kinds
        }
        for credential, value in typed.items():
            self._check(credential, value)
        if any(typed.values()) and not self.errors:
            self._seal(typed)
        return cleaned

    def _check(self, credential: Credential, value: str) -> None:
        if value.startswith(vault.ENVIRONMENT_PREFIX) and not _VARIABLE.fullmatch(value):
            self.add_error(credential.field, "Write env: and the name of a variable, for instance env:SLACK_PATH.")
        elif credential.name == "signing_secret" and value not in {"", REMOVE} and not _VARIABLE.fullmatch(value):
            try:
                secret_key(value)
            except ValueError as error:
                self.add_error(credential.field, f"{error}."[:1].upper() + f"{error}."[1:])

    def _seal(self, typed: dict[Credential, str]) -> None:
        merged = {**self._stored, **{credential.name: value for credential, value in typed.items() if value}}
        try:
            self.instance.seal_credentials({name: value for name, value in merged.items() if value != REMOVE})
        except ConfigurationError as error:
            self.add_error(None, f"The credentials were not stored: {error}.")


def _credential_field(credential: Credential) -> forms.CharField:
    widget = UnfoldAdminPasswordWidget if credential.secret else UnfoldAdminTextInputWidget
    attrs = {"autocomplete": "new-password" if credential.secret else "off"}
    return forms.CharField(label=credential.label, required=False, max_length=2000, widget=widget(attrs=attrs))


for _credential in CREDENTIALS:
    SystemForm.base_fields[_credential.field] = _credential_field(_credential)
    SystemForm.declared_fields[_credential.field] = SystemForm.base_fields[_credential.field]
