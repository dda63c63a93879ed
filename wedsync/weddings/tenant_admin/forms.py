"""Forms that keep a row inside its organization, whatever is posted."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from django import forms
from django.db.models import Model

from wedsync.weddings.tenant_admin.access import NOTHING, Access

if TYPE_CHECKING:  # unfold ships no types
    _ModelForm = forms.ModelForm[Any]
    _InlineFormSet = forms.BaseInlineFormSet[Any, Any, Any]
else:
    from unfold.forms import PaginationInlineFormSet as _InlineFormSet

    _ModelForm = forms.ModelForm

DATE_TYPED = "Write it as year-month-day, such as 2027-06-19, or pick it from the calendar."
OTHER_ORGANIZATION = "This belongs to another organization."


class TenantForm(_ModelForm):
    """A form of a row with an organization. ``asked_by`` and ``pages`` are filled in by the admin."""

    asked_by: ClassVar[Access] = NOTHING
    pages: ClassVar[Any] = None
    above: Model | None = None  # the page's row, for a form below it

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.pages and self._state_is_new() and self.pages.tenant_path == "organization":
            self._take_the_only_organization()

    def _state_is_new(self) -> bool:
        return bool(self.instance._state.adding)  # noqa: SLF001

    def _take_the_only_organization(self) -> None:
        if "organization" in self.fields or self.instance.organization_id:
            return
        found = self.asked_by.organizations(self.pages.editors)[:2]
        if len(found) == 1:
            self.instance.organization = found[0]

    def _get_validation_exclusions(self) -> set[str]:
        """Check uniqueness within the organization, although the organization is not a field of the form."""
        excluded: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]
        return excluded - {"organization"}

    def clean(self) -> dict[str, Any]:
        """Refuse every chosen row of another organization, even for operators."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.pages is None:
            return cleaned
        mine = self._organization_id(cleaned)
        for name, value in list(cleaned.items()):
            if name != "organization" and any(owner != mine for owner in self._owners(value)):
                self.add_error(name, OTHER_ORGANIZATION)
        return cleaned

    def full_clean(self) -> None:
        """Show the errors of fields that the page hides for the current choice, too."""
        super().full_clean()
        conditions = getattr(self.pages, "conditional_fields", None) or {}
        hidden = [name for name in self.errors if name in conditions and not self._is_shown(conditions[name])]
        for name in hidden:
            label = self.fields[name].label or name.replace("_", " ").capitalize()
            self.add_error(None, f"{label} (hidden for this choice): {' '.join(map(str, self.errors[name]))}")

    def _is_shown(self, condition: str) -> bool:
        """Whether the page's script shows a field: ``name == 'x'``, ``name != 'x'`` or ``['x','y'].includes(name)``."""
        words = re.findall(r"'([^']*)'", condition)
        name = re.sub(r"'[^']*'|includes", "", condition).strip("[],.()!= ")
        chosen = str((self.data.get(self.add_prefix(name)) if self.is_bound else None) or self._kept(name))
        return (chosen in words) != ("!=" in condition)

    def _kept(self, name: str) -> Any:
        return self.get_initial_for_field(self.fields[name], name) if name in self.fields else ""

    def _organization_id(self, cleaned: dict[str, Any]) -> UUID | None:
        chosen = cleaned.get("organization")
        if isinstance(chosen, Model):
            return chosen.pk  # type: ignore[no-any-return]
        found: UUID | None = self.pages.organization_of(self.instance)
        if found is None and self.above is not None:  # a new row is not yet joined to the row above it
            found = next(iter(self._owners(self.above)), None)
        return found

    def _owners(self, value: Any) -> Iterable[UUID]:
        rows = value if isinstance(value, list | tuple | set) or hasattr(value, "all") else [value]
        for row in rows:
            known = self.pages.border_of(type(row)) if isinstance(row, Model) else None
            owner = known.organization_of(row) if known and isinstance(row, Model) else None
            if owner is not None:
                yield owner


class TenantFormSet(_InlineFormSet):
    """Rows below a row: they belong to the same organization."""

    def _construct_form(self, i: int, **kwargs: Any) -> Any:
        form = super()._construct_form(i, **kwargs)  # type: ignore[misc]
        self._put_beside(form)
        return form

    @property
    def empty_form(self) -> Any:
        """The form for “add another”."""
        form = super().empty_form
        self._put_beside(form)
        return form

    def _put_beside(self, form: Any) -> None:
        form.above = self.instance
        if hasattr(form.instance, "organization_id") and hasattr(self.instance, "organization_id"):
            form.instance.organization_id = self.instance.organization_id
