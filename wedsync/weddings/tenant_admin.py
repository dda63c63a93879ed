"""The base classes of every admin: whatever Django's admin shows, offers or accepts ends at the organization's border.

A subclass names ``tenant_path``, the lookup from its row to the organization, and ``editors``, the roles that may
change rows (see :mod:`wedsync.weddings.tenancy`). Implement nothing else for the border.

| where stock admin reaches over it | what holds it |
|---|---|
| lists, pages, search, actions, history, autocomplete | ``get_queryset`` |
| choices of foreign keys and many-to-many fields | ``get_field_queryset``; a model without such an admin has none |
| a foreign key posted by hand, or to another of one's own organizations | ``TenantForm.clean`` |
| filters in the sidebar | ``TenantRelatedFilter`` |
| filters typed into the address | ``lookup_allowed`` takes only what the page itself offers |
| creating in, or moving to, another organization | ``TenantForm`` fixes it; ``save_model`` checks again |
| recent actions | ``recent_actions`` |
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from django.contrib import admin
from django.contrib.admin import RelatedFieldListFilter
from django.contrib.admin.filters import FieldListFilter
from django.contrib.admin.utils import get_fields_from_path
from django.core.exceptions import FieldDoesNotExist, PermissionDenied
from django.db.models import Field, Model, QuerySet
from django.http import HttpRequest

from wedsync.weddings.models import Organization
from wedsync.weddings.tenancy import BY_NOBODY, Role, access
from wedsync.weddings.tenant_forms import TenantForm, TenantFormSet

if TYPE_CHECKING:  # unfold ships no types; its classes are Django's with another look
    _ModelAdmin = admin.ModelAdmin[Any]
    _TabularInline = admin.TabularInline[Any, Any]
else:
    from unfold.admin import ModelAdmin as _ModelAdmin
    from unfold.admin import TabularInline as _TabularInline

_LOOKUPS = ("exact", "in", "isnull", "gte", "lt", "year", "month", "day", "id__exact", "pk__exact")


def tenant_admin_of(site: admin.AdminSite, model: type[Model]) -> TenantAdmin | None:
    """The admin that knows the model's border, if there is one."""
    found = site._registry.get(model)  # noqa: SLF001
    return found if isinstance(found, TenantAdmin) else None


class TenantRelatedFilter(RelatedFieldListFilter):
    """A filter over a relation that offers the user's own rows only."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[Any]:
        """Identifier and name of each."""
        related = tenant_admin_of(model_admin.admin_site, field.remote_field.model)
        return [(row.pk, str(row)) for row in related.get_queryset(request)] if related else []


class _Border:
    """What pages and inlines have in common."""

    tenant_path: ClassVar[str]
    editors: ClassVar[frozenset[Role]] = BY_NOBODY
    admin_site: admin.AdminSite

    def bounded(self, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        """The rows that the user may see."""
        return access(request).bound(rows, self.tenant_path)

    def organization_of(self, row: Model) -> UUID | None:
        """The organization of a row, or ``None`` where a row belongs to nobody or to several."""
        *steps, last = self.tenant_path.split("__")
        found: Any = row
        for step in steps:
            found = getattr(found, step, None)
        key: UUID | None = getattr(found, last if last == "pk" else f"{last}_id", None)
        return key

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Everything that the page can ever touch."""
        return self.bounded(request, super().get_queryset(request))  # type: ignore[misc]

    def get_field_queryset(self, db: str | None, db_field: Field[Any, Any], request: HttpRequest) -> QuerySet[Any]:
        """The choices of a relation."""
        related: Any = db_field.remote_field.model  # type: ignore[attr-defined]
        if related is Organization and self.editors:
            return access(request).organizations(self.editors)
        known = tenant_admin_of(self.admin_site, related)
        rows: QuerySet[Any] = related._default_manager.all()  # noqa: SLF001
        if known:
            return known.bounded(request, rows).order_by(*(known.get_ordering(request) or ("pk",)))
        return rows if access(request).everything else rows.none()

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Members see everything of their organizations."""
        found = access(request)
        return not found.is_empty if obj is None else found.sees(self.organization_of(obj))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """By role."""
        return self._changes(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """By role."""
        return self._changes(request, obj)

    def _changes(self, request: HttpRequest, obj: Any) -> bool:
        found = access(request)
        if not self.editors:
            return False
        if obj is None:
            return found.changes_somewhere(self.editors)
        return found.changes(self.organization_of(obj), self.editors)


class TenantAdmin(_Border, _ModelAdmin):
    """The pages of a model that belongs to organizations. ``linked_by``: further lookups that our own links use."""

    form = TenantForm
    linked_by: ClassVar[tuple[str, ...]] = ()
    list_per_page = 50
    show_full_result_count = False
    compressed_fields = True
    warn_unsaved_form = True

    def has_add_permission(self, request: HttpRequest) -> bool:
        """By role."""
        return self._changes(request, None)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Whether the model stands in the menu."""
        return self.has_view_permission(request)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """The form, told who asks."""
        form = super().get_form(request, obj, change=change, **kwargs)
        if not issubclass(form, TenantForm):
            return form
        return type(form.__name__, (form,), {"asked_by": access(request), "pages": self})

    def get_exclude(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """No choice of organization where there is only one, and never for a row that has one."""
        exclude = list(super().get_exclude(request, obj) or ())
        return exclude if self._chooses_organization(request, obj) else [*exclude, "organization"]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """The fields on the page, with the organization in front where it is a choice."""
        fieldsets = super().get_fieldsets(request, obj)
        if self.fieldsets is None or not self._chooses_organization(request, obj):
            return fieldsets
        return [(None, {"fields": ["organization"]}), *fieldsets]

    def _chooses_organization(self, request: HttpRequest, obj: Any) -> bool:
        if self.tenant_path != "organization" or obj is not None or not self.editors:
            return False
        return access(request).organizations(self.editors).count() != 1

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save, if it is the user's to save."""
        self.check_saved(request, obj, change=change)
        super().save_model(request, obj, form, change)

    def check_saved(self, request: HttpRequest, obj: Any, *, change: bool) -> None:
        """The last guard before the database.

        Raises:
            PermissionDenied: the row stands in an organization where the user may not change it, or was moved.
        """
        mine = access(request).changes(self.organization_of(obj), self.editors) or self._makes_anew(request, change)
        stays = not change or self.bounded(request, self.model._default_manager.filter(pk=obj.pk)).exists()
        if not (mine and stays):
            raise PermissionDenied

    def _makes_anew(self, request: HttpRequest, change: bool) -> bool:
        return not change and access(request).everything

    def get_list_filter(self, request: HttpRequest) -> Any:
        """Filters over relations become bounded ones."""
        return [self._bounded_filter(entry) for entry in super().get_list_filter(request)]

    def _bounded_filter(self, entry: Any) -> Any:
        name = entry[0] if isinstance(entry, list | tuple) else entry
        if not isinstance(name, str):
            return entry
        field = get_fields_from_path(self.model, name)[-1]
        return (name, TenantRelatedFilter) if field.is_relation else entry

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Only the lookups that the page's own filters and links make; anything else could probe hidden fields."""
        names = {self.date_hierarchy, *self.linked_by} - {None}
        for entry in self.get_list_filter(request) if request else self.list_filter:
            first = entry[0] if isinstance(entry, list | tuple) else entry
            names.add(getattr(first, "parameter_name", first))
        return any(lookup == name or lookup in {f"{name}__{ending}" for ending in _LOOKUPS} for name in names)


class ReadOnlyAdmin(TenantAdmin):
    """Pages of what happened: nobody changes it, operators included."""

    warn_unsaved_form = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {}


class TenantInline(_Border, _TabularInline):
    """Rows of another model on a page; its rows belong to the organization of the page's row."""

    form = TenantForm
    formset = TenantFormSet
    extra = 0
    show_change_link = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """By role."""
        return self._changes(request, None)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Inlines ask with the page's row, which the page has checked."""
        return not access(request).is_empty

    def _changes(self, request: HttpRequest, obj: Any) -> bool:
        return bool(self.editors) and access(request).changes_somewhere(self.editors)

    def get_exclude(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """The organization is the page's."""
        exclude = list(super().get_exclude(request, obj) or ())
        return [*exclude, "organization"] if self.tenant_path == "organization" else exclude

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """The formset, its forms told who asks."""
        formset = super().get_formset(request, obj, **kwargs)
        formset.form = type(formset.form.__name__, (formset.form,), {"asked_by": access(request), "pages": self})
        return formset


class ReadOnlyInline(TenantInline):
    """Rows of what happened."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
