"""Admin of organizations, their staff, their weddings and contacts."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminTextInputWidget

from wedsync.weddings.memberships import let_in
from wedsync.weddings.models import ApiKey, ApiScope, Contact, ContactChannel, Form, Membership, Organization
from wedsync.weddings.tenant_admin.access import BY_OWNERS, BY_PLANNERS, access
from wedsync.weddings.tenant_admin.forms import TenantForm
from wedsync.weddings.tenant_admin.looks import ChosenField, CommaListField, column, show_once
from wedsync.weddings.tenant_admin.pages import TenantAdmin, TenantInline
from wedsync.weddings.validators import time_zones, validate_locale, validate_time_zone

LANGUAGES = [
    ("en", "English"), ("de", "German"), ("es", "Spanish"), ("fr", "French"), ("de-AT", "German (Austria)"),
    ("de-CH", "German (Switzerland)"), ("en-GB", "English (United Kingdom)"), ("en-US", "English (United States)"),
    ("es-MX", "Spanish (Mexico)"), ("fr-CA", "French (Canada)"), ("fr-CH", "French (Switzerland)"),
]  # fmt: skip
ZONES = [(name, name) for name in time_zones()]
_KNOWN = ", ".join(ContactChannel.values)
_PREFERENCE = f"Most wanted first, for instance “whatsapp, email”; empty: all. Known: {_KNOWN}."

# Django's groups carry permissions, which are not used here: a membership's role decides.
admin.site.unregister(Group)
admin.site.unregister(User)


class MembershipInline(TenantInline):
    model = Membership
    tenant_path = "organization"
    editors = BY_OWNERS
    fields = ("user", "role")


@admin.register(Organization)
class OrganizationAdmin(TenantAdmin):
    tenant_path = "pk"
    editors = BY_OWNERS
    list_display = ("name", "slug", "created_at")
    search_fields = ("name", "slug")
    ordering = ("name",)
    inlines = (MembershipInline,)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        members = [
            row
            for formset in formsets
            if formset.model is Membership
            for row in [*formset.new_objects, *(row for row, _ in formset.changed_objects)]
        ]
        _let_in(request, members)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return access(request).everything

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return access(request).everything

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Slugs are unique across organizations, so trying one would reveal whether another organization has it."""
        return () if access(request).everything else ("slug",)


@admin.register(User)
class StaffAdmin(UserAdmin, TenantAdmin):  # type: ignore[misc,type-arg]
    """Accounts, for operators. Owners see them only by name, as members of their own organizations."""

    tenant_path = "memberships__organization"
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "email", "first_name", "last_name", "is_staff", "is_superuser", "is_active")
    list_filter = ("is_staff", "is_superuser", "is_active")
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        ("Permissions", {"fields": ("is_active", "is_staff", "is_superuser")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    readonly_fields = ("last_login", "date_joined")

    def bounded(self, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        found = access(request)
        if found.everything:
            return rows
        return rows.filter(pk__in=Membership.objects.filter(organization__in=list(found.roles)).values("user"))

    def organization_of(self, row: Any) -> None:
        return None

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return access(request).everything

    def _changes(self, request: HttpRequest, obj: Any) -> bool:
        return access(request).everything

    def check_saved(self, request: HttpRequest, obj: Any, *, change: bool) -> None:
        """Nothing to check beyond the permissions above."""


@admin.register(Membership)
class MembershipAdmin(TenantAdmin):
    tenant_path = "organization"
    editors = BY_OWNERS
    list_display = ("user", "role")
    list_filter = ("role",)
    list_select_related = ("user", "organization")
    search_fields = ("user__username", "user__email")
    ordering = ("organization", "user__username")

    def save_model(self, request: HttpRequest, obj: Membership, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        _let_in(request, [obj])


def _let_in(request: HttpRequest, members: list[Membership]) -> None:
    for name in let_in(members):
        messages.info(request, f"{name} can now sign in.")


class ApiKeyForm(TenantForm):
    """A key, with its scopes as checkboxes."""

    scopes = forms.MultipleChoiceField(
        choices=ApiScope.choices,
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
        help_text="Tick only what the client needs. A request without its scope is refused.",
    )

    class Meta:
        model = ApiKey
        fields = ("name", "scopes", "channels", "expires_at")
        widgets = {"channels": UnfoldAdminTextInputWidget()}

    def clean_channels(self) -> list[str] | None:
        """No pattern at all means every channel."""
        return self.cleaned_data["channels"] or None


@admin.register(ApiKey)
class ApiKeyAdmin(TenantAdmin):
    """API keys. A new key is shown once; only its hash is stored."""

    tenant_path = "organization"
    editors = BY_OWNERS
    form = ApiKeyForm
    fields = ("name", "scopes", "channels", "expires_at")
    list_display = ("name", "may", "created_at", "last_used_at", "expires_at")
    list_select_related = ("organization",)
    search_fields = ("name",)
    ordering = ("-id",)

    @column("Scopes")
    def may(self, key: ApiKey) -> str:
        return "everything" if set(ApiScope.values) <= set(key.scopes) else ", ".join(key.scopes)

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        """Issue a new key; the page continues with its row, and has its clear text only for this answer."""
        if change:
            super().save_model(request, obj, form, change)
            return
        self.check_saved(request, obj, change=change)
        issued, request.new_key = ApiKey.issue(  # type: ignore[attr-defined]
            obj.organization, obj.name, obj.expires_at, obj.scopes, obj.channels
        )
        obj.pk = issued.pk
        obj.refresh_from_db()

    def response_add(self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None) -> HttpResponse:
        return show_once(
            request,
            self,
            obj,
            title="The new API key",
            note="Copy it now: only its hash is stored, so it cannot be shown again.",
            facts={"Key": request.new_key, "Header": f"Authorization: Bearer {request.new_key}"},  # type: ignore[attr-defined]
        )


class ContactForm(TenantForm):
    """A contact, with channels as comma-separated words, and language and time zone chosen from lists."""

    preferred_channels = CommaListField(words=list(ContactChannel.values), required=False, help_text=_PREFERENCE)
    locale = ChosenField(label="Language", offered=LANGUAGES, check=validate_locale, initial="en")
    timezone = ChosenField(label="Time zone", offered=ZONES, check=validate_time_zone, initial="UTC")


class WeddingForm(TenantForm):
    """A wedding, with its time zone chosen from a list."""

    timezone = ChosenField(label="Time zone", offered=ZONES, check=validate_time_zone, help_text="The venue's.")


class ContactInline(TenantInline):
    model = Contact
    form = ContactForm
    tenant_path = "organization"
    editors = BY_PLANNERS
    fields = ("name", "role", "phone", "email", "preferred_channels", "call_order")


class WeddingAdmin(TenantAdmin):
    """Registered by integrations/admin/weddings.py, which can publish changes."""

    form = WeddingForm
    tenant_path = "organization"
    editors = BY_PLANNERS
    fieldsets = (
        (None, {"fields": ("couple", ("date", "timezone"), "venue_name")}),
        ("Times, in the venue's zone", {"fields": ("ceremony_time", ("reception_time", "reception_end"))}),
        ("Guests", {"fields": (("guest_count", "capacity"),)}),
    )
    list_display = ("couple", "date", "venue_name", "ceremony_time", "guest_count", "capacity")
    list_select_related = ("organization",)
    list_filter = ("date",)
    search_fields = ("couple", "venue_name", "=id")
    ordering = ("-date", "-id")
    inlines = (ContactInline,)


@admin.register(Contact)
class ContactAdmin(TenantAdmin):
    tenant_path = "organization"
    editors = BY_PLANNERS
    form = ContactForm
    fieldsets = (
        (None, {"fields": ("wedding", ("name", "role"), ("phone", "email"))}),
        ("Reachability", {"fields": ("preferred_channels", ("locale", "timezone"), ("quiet_from", "quiet_until"))}),
        ("In an emergency", {"fields": ("call_order",)}),
    )
    list_display = ("name", "role", "wedding", "phone", "email")
    list_select_related = ("wedding", "organization")
    list_filter = ("role",)
    linked_by = ("wedding",)
    search_fields = ("name", "phone", "email", "wedding__couple")
    autocomplete_fields = ("wedding",)
    ordering = ("name", "id")


@admin.register(Form)
class FormAdmin(TenantAdmin):
    tenant_path = "organization"
    editors = BY_PLANNERS
    fields = ("title", "wedding", "wedding_fields")
    list_display = ("title", "wedding")
    list_select_related = ("wedding", "organization")
    search_fields = ("title", "wedding__couple", "=id")
    autocomplete_fields = ("wedding",)
    ordering = ("-id",)
