"""Counts what would be deleted together with a row, before any of it is read."""

from collections.abc import Iterable
from typing import Any

from django.db.models import CASCADE, Model

MOST_DELETED = 500


def too_many_below(rows: Iterable[Model]) -> str:
    """The kind of which too many rows would be deleted together with these; empty: there are few.

    Counts keys level by level and stops at :data:`MOST_DELETED`; reads no row.
    """
    level: dict[type[Model], list[Any]] = {}
    for row in rows:
        level.setdefault(type(row), []).append(row.pk)
    found = 0
    while level:
        following: dict[type[Model], list[Any]] = {}
        for model, keys in level.items():
            for relation in model._meta.related_objects:  # noqa: SLF001
                if getattr(relation, "on_delete", None) is not CASCADE:
                    continue
                below: Any = relation.related_model
                hanging = below._base_manager.filter(**{f"{relation.field.name}__in": keys})  # noqa: SLF001
                pks = list(hanging.order_by().values_list("pk", flat=True)[: MOST_DELETED + 1 - found])
                found += len(pks)
                if found > MOST_DELETED:
                    return str(below._meta.verbose_name_plural)  # noqa: SLF001
                following.setdefault(below, []).extend(pks)
        level = {model: keys for model, keys in following.items() if keys}
    return ""
