"""Forms of systems. Credentials are entered, and never shown again."""

from __future__ import annotations

from functools import cache
from typing import Any

from django import forms
from django.conf import settings
from unfold.widgets import (
    UnfoldAdminPasswordWidget,
    UnfoldAdminTextInputWidget,
    UnfoldAdminURLInputWidget,
)

from integrations.accounts.rules import Credential
from integrations.credentials.kinds import (
    LONGEST,
    Misfit,
    check_together,
    credentials_of,
    every,
    leads_elsewhere,
    secrets_to_reenter,
)
from integrations.models import System
from integrations.outbound.guard import checked_base_url
from wedsync import named_credentials, vault
from wedsync.env import ConfigurationError
from wedsync.weddings.tenant_admin.forms import TenantForm

REMOVE = "-"


def credential_fields() -> tuple[str, ...]:
    """The fields of all credentials, by name."""
    return tuple(credential.field for credential in every())


def shown_for() -> dict[str, str]:
    """When each of these fields is shown, as an expression for the page's script."""
    return {
        credential.field: "[" + ",".join(f"'{kind}'" for kind in kinds) + "].includes(kind)"
        for credential, kinds in every().items()
    }


@cache
def system_form() -> type[SystemForm]:
    """The form with a field for each credential; made late, since kinds register after this module is imported."""
    return type("SystemForm", (SystemForm,), {each.field: _credential_field(each) for each in every()})


class BaseUrlField(forms.URLField):
    """Checked only by :func:`integrations.outbound.guard.checked_base_url`, as in the API."""

    default_validators = []


class SystemForm(TenantForm):
    """A system. An empty credential keeps its stored value, which is never sent to the page."""

    base_url = BaseUrlField(
        assume_scheme="https",
        max_length=500,
        widget=UnfoldAdminURLInputWidget(),
        help_text="Without a trailing slash.",
    )

    class Meta:
        model = System
        fields = ("name", "kind", "base_url", "call_limit", "rate_per_second", "rate_burst")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "kind" in self.fields and not self._state_is_new():
            self.fields["kind"].disabled = True
        self._stored, self._unreadable = self._read()
        for credential in every():
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
            status = f"Cannot be decrypted: {self._unreadable}. Enter all values again."
        elif named_credentials.is_named(value):
            status = self._named(value)
        else:
            status = "Set." if value else "Not set."
        return f"{status} {credential.about} Empty keeps it, a single {REMOVE} removes it, env:NAME reads a variable."

    def _named(self, value: str) -> str:
        name = named_credentials.name_of(value)
        try:
            named_credentials.check(value, self.instance.organization.slug)
        except ValueError as error:
            return f"Names the variable {name}, which is not used. {error}"
        return f"Set, from the variable {name}."

    def clean_base_url(self) -> str:
        """Refuse a URL that no delivery could reach."""
        url = str(self.cleaned_data["base_url"])
        if "base_url" in self.changed_data:
            try:
                return checked_base_url(url, settings.OUTBOUND_ALLOW)
            except ValueError as error:
                raise forms.ValidationError(str(error)) from error
        return url

    def clean(self) -> dict[str, Any]:
        """Merge the entered credentials into the stored ones, and encrypt them."""
        cleaned = super().clean()
        kind = cleaned.get("kind") or self.instance.kind
        typed = {
            credential: str(cleaned.get(credential.field) or "").strip()
            for credential in credentials_of(kind or "").values()
        }
        organization = self._organization_slug(cleaned)
        for credential, value in typed.items():
            self._check(credential, value, organization)
        if not self.errors:
            self._check_places(kind, typed, str(cleaned["base_url"]))
        if not self.errors:
            self._check_together(kind, typed)
        if any(typed.values()) and not self.errors:
            self._seal(typed)
        return cleaned

    def _check_places(self, kind: str, typed: dict[Credential, str], url: str) -> None:
        """Credentials entered for one place must not be sent to another."""
        before = self.initial.get("base_url") or url
        if self._unreadable and leads_elsewhere(before, url) and not any(typed.values()):
            self.add_error("base_url", "This leads to another place. Enter all credentials again.")
        entered = {credential.name: None if value == REMOVE else value for credential, value in typed.items() if value}
        for field, names in secrets_to_reenter(kind, self._stored, entered, (before, url)).items():
            labels = ", ".join(found.label for found in credentials_of(kind).values() if found.name in names)
            where = field if field == "base_url" else f"credential_{field}"
            self.add_error(
                where, f"This leads to another place. Enter these again, or {REMOVE} to remove them: {labels}."
            )

    def _check_together(self, kind: str, typed: dict[Credential, str]) -> None:
        """Check that credentials fit each other, if one of them was entered."""
        entered = {credential.name: None if value == REMOVE else value for credential, value in typed.items() if value}
        try:
            check_together(kind, self._stored, entered)
        except Misfit as misfit:
            self.add_error(f"credential_{misfit.name}", str(misfit))

    def _organization_slug(self, cleaned: dict[str, Any]) -> str:
        chosen = cleaned.get("organization") or getattr(self.instance, "organization", None)
        return chosen.slug if chosen else ""

    def _check(self, credential: Credential, value: str, organization: str) -> None:
        if value in {"", REMOVE}:
            return
        try:
            credential.check(value, organization)
        except ValueError as error:
            self.add_error(credential.field, str(error))

    def _seal(self, typed: dict[Credential, str]) -> None:
        merged = {**self._stored, **{credential.name: value for credential, value in typed.items() if value}}
        try:
            self.instance.seal_credentials({name: value for name, value in merged.items() if value != REMOVE})
        except ConfigurationError as error:
            self.add_error(None, f"The credentials were not stored: {error}.")


def _credential_field(credential: Credential) -> forms.CharField:
    widget = UnfoldAdminPasswordWidget if credential.secret else UnfoldAdminTextInputWidget
    attrs = {"autocomplete": "new-password" if credential.secret else "off"}
    return forms.CharField(label=credential.label, required=False, max_length=LONGEST, widget=widget(attrs=attrs))
