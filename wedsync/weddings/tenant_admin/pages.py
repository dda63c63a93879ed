"""The base classes of every admin: whatever Django's admin shows, offers or accepts stays within the organization.

A subclass names ``tenant_path``, the lookup from its row to the organization, and ``editors``, the roles that may
change rows (see :mod:`wedsync.weddings.tenant_admin.access`). Nothing else is needed for the border.

| where Django's admin would cross it | what prevents that |
|---|---|
| lists, pages, search, actions, history, autocomplete | ``get_queryset`` |
| choices of foreign keys and many-to-many fields | ``get_field_queryset``; a model without such an admin has none |
| a foreign key posted by hand, or to another of one's own organizations | ``TenantForm.clean`` |
| filters in the sidebar | ``TenantRelatedFilter`` |
| filters typed into the URL | ``lookup_allowed`` accepts only what the page itself offers |
| creating in, or moving to, another organization | ``TenantForm`` fixes it; ``save_model`` checks again |
| recent actions | :func:`wedsync.weddings.tenant_admin.recent_actions.site_context` |
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from django.contrib import admin
from django.contrib.admin import RelatedFieldListFilter
from django.contrib.admin.utils import flatten_fieldsets, get_fields_from_path
from django.core.exceptions import PermissionDenied
from django.db.models import DateField, Model, QuerySet
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminDateWidget

from wedsync.weddings.models import Organization
from wedsync.weddings.tenant_admin import deletions
from wedsync.weddings.tenant_admin.access import BY_NOBODY, Role, access
from wedsync.weddings.tenant_admin.forms import DATE_TYPED, TenantForm, TenantFormSet

if TYPE_CHECKING:  # unfold ships no types; its classes are Django's with a different look
    _ModelAdmin = admin.ModelAdmin[Any]
    _TabularInline = admin.TabularInline[Any, Any]
else:
    from unfold.admin import ModelAdmin as _ModelAdmin
    from unfold.admin import TabularInline as _TabularInline

_LOOKUPS = ("exact", "in", "isnull", "gte", "lt", "year", "month", "day", "id__exact", "pk__exact")
_MOST_OFFERED = 200


def tenant_admin_of(site: admin.AdminSite, model: type[Model]) -> TenantAdmin | None:
    """The admin that knows the model's border, if there is one."""
    found = site._registry.get(model)  # noqa: SLF001
    return found if isinstance(found, TenantAdmin) else None


class TenantRelatedFilter(RelatedFieldListFilter):
    """A filter over a relation that offers only the user's own rows."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[Any]:
        """The id and name of each row."""
        related = tenant_admin_of(model_admin.admin_site, field.remote_field.model)
        if related is None:
            return []
        rows = related.get_queryset(request).order_by(*(related.get_ordering(request) or ("pk",)))
        return [(row.pk, str(row)) for row in related.named(rows)[:_MOST_OFFERED]]


class _Border:
    """What pages and inlines have in common."""

    tenant_path: ClassVar[str]
    editors: ClassVar[frozenset[Role]] = BY_NOBODY
    admin_site: admin.AdminSite

    def bounded(self, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        """The rows that the user may see."""
        return access(request).bound(rows, self.tenant_path)

    def border_of(self, model: type[Model]) -> TenantAdmin | None:
        """The admin that knows the border of another model, if there is one."""
        return tenant_admin_of(self.admin_site, model)

    def organization_of(self, row: Model) -> UUID | None:
        """The organization of a row, or ``None`` where it belongs to none or to several."""
        *steps, last = self.tenant_path.split("__")
        found: Any = row
        for step in steps:
            found = getattr(found, step, None)
        key: UUID | None = getattr(found, last if last == "pk" else f"{last}_id", None)
        return key

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The rows that the page can reach at all."""
        return self.bounded(request, super().get_queryset(request))  # type: ignore[misc]

    def get_field_queryset(self, db: str | None, db_field: Any, request: HttpRequest) -> QuerySet[Any]:
        """The choices of a relation."""
        related = db_field.remote_field.model
        if related is Organization and self.editors:
            return access(request).organizations(self.editors)
        known = self.border_of(related)
        rows: QuerySet[Any] = related._default_manager.all()  # noqa: SLF001
        if known:
            return known.named(known.bounded(request, rows)).order_by(*(known.get_ordering(request) or ("pk",)))
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
    formfield_overrides: ClassVar[dict[Any, Any]] = {
        DateField: {
            "widget": UnfoldAdminDateWidget(attrs={"placeholder": "2027-06-19"}),
            "error_messages": {"invalid": DATE_TYPED},
        }
    }
    linked_by: ClassVar[tuple[str, ...]] = ()
    list_per_page = 50
    show_full_result_count = False
    compressed_fields = True
    warn_unsaved_form = True

    def named(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """The rows with everything their names need, in one query."""
        joined = self.list_select_related
        return rows.select_related(*joined) if isinstance(joined, list | tuple) else rows

    def has_add_permission(self, request: HttpRequest) -> bool:
        """By role."""
        return self._changes(request, None)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Whether the model is in the menu."""
        return self.has_view_permission(request)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002
        """The form, which knows who the user is."""
        form = super().get_form(request, obj, change=change, **kwargs)
        if not issubclass(form, TenantForm):
            return form
        return type(form.__name__, (form,), {"asked_by": access(request), "pages": self})

    def get_exclude(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Hide the organization from users who have only one."""
        exclude = list(super().get_exclude(request, obj) or ())
        hidden = self.tenant_path == "organization" and not self._has_several(request, obj)
        return [*exclude, "organization"] if hidden else exclude

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """A row never moves to another organization."""
        fixed = self.tenant_path == "organization" and obj is not None and self._has_several(request, obj)
        return [*super().get_readonly_fields(request, obj), *(["organization"] if fixed else [])]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """The fields on the page, with the organization first."""
        fieldsets = super().get_fieldsets(request, obj)
        if not self._has_several(request, obj) or "organization" in flatten_fieldsets(fieldsets):
            return fieldsets
        return [(None, {"fields": ["organization"]}), *fieldsets]

    def get_list_display(self, request: HttpRequest) -> Any:
        """The columns, with the organization if there are several."""
        columns = super().get_list_display(request)
        return [*columns, "organization"] if self._has_several(request, self.model) else columns

    def _has_several(self, request: HttpRequest, obj: Any) -> bool:
        """Whether there are several organizations; for a new row, among those where the user may create one."""
        if self.tenant_path != "organization":
            return False
        return access(request).organizations(self.editors if obj is None else None).count() != 1

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001
        """Save, if the user may."""
        self.check_saved(request, obj, change=change)
        super().save_model(request, obj, form, change)

    def check_saved(self, request: HttpRequest, obj: Any, *, change: bool) -> None:
        """The last guard before the database.

        Raises:
            PermissionDenied: the row is in an organization where the user may not change it, or was moved.
        """
        mine = access(request).changes(self.organization_of(obj), self.editors)
        stays = not change or self.get_queryset(request).filter(pk=obj.pk).exists()
        if not (mine and stays):
            raise PermissionDenied

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """What would be deleted; for a row with very many dependent rows only that, before any of them is read."""
        if hangs := deletions.too_many_below(objs):
            return [], {}, set(), [f"More than {deletions.MOST_DELETED} rows depend on it, {hangs} among them."]
        return super().get_deleted_objects(objs, request)

    def get_list_filter(self, request: HttpRequest) -> Any:
        """Replace filters over relations by bounded ones."""
        entries = list(super().get_list_filter(request))
        if self._has_several(request, self.model):
            entries.append("organization")
        return [self._bounded_filter(entry) for entry in entries]

    def _bounded_filter(self, entry: Any) -> Any:
        name = entry[0] if isinstance(entry, list | tuple) else entry
        if not isinstance(name, str):
            return entry
        field = get_fields_from_path(self.model, name)[-1]
        return (name, TenantRelatedFilter) if field.is_relation else entry

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Allow only lookups of the page's own filters and links; any other could probe hidden fields."""
        names: set[Any] = {self.date_hierarchy, *self.linked_by} - {None}
        for entry in self.get_list_filter(request) if request else self.list_filter:
            first = entry[0] if isinstance(entry, list | tuple) else entry
            names.add(getattr(first, "parameter_name", first))
        return any(lookup == name or lookup in {f"{name}__{ending}" for ending in _LOOKUPS} for name in names)


class ReadOnlyAdmin(TenantAdmin):
    """Pages of what happened, which nobody may change, not even operators."""

    warn_unsaved_form = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Never."""
        return False

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """None."""
        return {}


class TenantInline(_Border, _TabularInline):
    """Rows of another model on a page; its rows belong to the organization of the page's row."""

    form = TenantForm
    formset = TenantFormSet
    extra = 0
    hide_title = True
    show_change_link = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """By role."""
        return self._changes(request, obj)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Inlines pass the page's row, which the page has checked."""
        return not access(request).is_empty

    def _changes(self, request: HttpRequest, obj: Any) -> bool:
        """``obj`` is the page's row."""
        page = self.border_of(self.parent_model)
        if obj is None or page is None or not self.editors:
            return super()._changes(request, None)
        return access(request).changes(page.organization_of(obj), self.editors)

    def get_exclude(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """The organization is the page's."""
        exclude = list(super().get_exclude(request, obj) or ())
        return [*exclude, "organization"] if self.tenant_path == "organization" else exclude

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """The formset, whose forms know who the user is."""
        formset = super().get_formset(request, obj, **kwargs)
        formset.form = type(formset.form.__name__, (formset.form,), {"asked_by": access(request), "pages": self})
        return formset


class ReadOnlyInline(TenantInline):
    """Rows of what happened."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False
