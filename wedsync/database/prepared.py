"""Statements that PostgreSQL parses and plans once per connection, for those that run for every delivery."""

import weakref
from collections.abc import Mapping
from typing import Any

from django.db import connection


class Prepared:
    """A statement with ``%(name)s`` for its values.

    Arguments:
        name: the prepared statement's name, unique in the product.
        types: PostgreSQL's type of each value, by the value's name.
    """

    def __init__(self, name: str, statement: str, types: Mapping[str, str]) -> None:
        self._places = list(types)
        numbered = statement % {place: f"${number}" for number, place in enumerate(types, 1)}
        self._prepare = f"PREPARE {name} ({', '.join(types.values())}) AS {numbered}"
        self._execute = f"EXECUTE {name} ({', '.join(['%s'] * len(types))})"
        self._known_to: weakref.WeakSet[Any] = weakref.WeakSet()

    def run(self, values: Mapping[str, Any]) -> tuple[int, tuple[Any, ...] | None]:
        """Run it; returns how many rows it changed or found, and the first row that it returned.

        Raises:
            OperationalError, InterfaceError: PostgreSQL is away.
        """
        with connection.cursor() as cursor:
            if connection.connection not in self._known_to:
                cursor.execute(self._prepare)
                self._known_to.add(connection.connection)
            cursor.execute(self._execute, [values[place] for place in self._places])
            return cursor.rowcount, cursor.fetchone() if cursor.description else None
