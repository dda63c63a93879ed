"""Operations for migrations."""

from collections.abc import Sequence
from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import AlterField
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models import Field


class AlterTexts(Operation):
    """Many fields that change only what people read: help texts, labels, choices. Nothing in the database changes.

    ``AlterField`` builds all models anew for each field, which made most of the time of a first start.
    """

    reduces_to_sql = False

    def __init__(self, fields: Sequence[AlterField]) -> None:
        self.fields = fields

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        """For Django's writer of migrations."""
        return type(self).__name__, [self.fields], {}

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Put the fields into the state.

        Raises:
            ValueError: a field changes in the database too.
        """
        for each in self.fields:
            fields = state.models[app_label, each.model_name_lower].fields
            if _stored(fields[each.name]) != _stored(each.field):
                raise ValueError(f"{each.model_name}.{each.name} changes in the database: use AlterField.")
            fields[each.name] = each.field

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Nothing to do."""

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Nothing to do."""

    def describe(self) -> str:
        """For ``migrate --plan``."""
        return f"Alter what people read of {len(self.fields)} fields"


def _stored(value: Any) -> Any:
    """What the database knows of a field, and of the fields inside it; other values as they are."""
    if not isinstance(value, Field):
        return value
    _, path, positional, named = value.deconstruct()
    known = {name: _stored(each) for name, each in named.items() if name not in value.non_db_attrs}
    return path, [_stored(each) for each in positional], known
