"""Schema changes that can be interrupted and started again."""

from __future__ import annotations

from typing import Any

from django.db.backends.postgresql import schema
from django.db.models import Index, Model


class SchemaEditor(schema.DatabaseSchemaEditor):
    """Django's editor, which can also build an index concurrently again after an interruption.

    ``CREATE INDEX CONCURRENTLY`` waits for every open transaction and blocks nobody meanwhile, so the lock time-out of
    other statements does not apply to it. An interrupted one leaves an unused index under the name that the next try
    needs. https://www.postgresql.org/docs/current/sql-createindex.html
    """

    def add_index(
        self,
        model: type[Model],
        index: Index,
        concurrently: bool = False,  # noqa: FBT001, FBT002  (Django's own signature)
    ) -> None:
        """Build an index; a complete one is left as it is."""
        if not concurrently:
            super().add_index(model, index)
            return
        with self.connection.cursor() as cursor:
            state = self._state_of(cursor, model, index.name)
            if state == "whole":
                return
            cursor.execute("SELECT current_setting('lock_timeout')")
            ((before,),) = cursor.fetchall()
            cursor.execute("SET lock_timeout = 0")
            try:
                if state == "broken":
                    cursor.execute(f"DROP INDEX CONCURRENTLY {self.quote_name(index.name)}")
                super().add_index(model, index, concurrently=True)
            finally:
                cursor.execute("SELECT set_config('lock_timeout', %s, false)", [before])

    @staticmethod
    def _state_of(cursor: Any, model: type[Model], name: str) -> str:
        cursor.execute(
            "SELECT indisvalid FROM pg_index WHERE indrelid = to_regclass(%s) AND indexrelid = to_regclass(%s)",
            [model._meta.db_table, name],  # noqa: SLF001
        )
        found = cursor.fetchone()
        return "missing" if found is None else "whole" if found[0] else "broken"
