"""Filters of lists: an unknown or unreadable filter is refused rather than ignored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import django_filters
from django.db.models import Q, QuerySet
from django.utils.datastructures import MultiValueDict
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.views import APIView

from wedsync.api.problems import Unprocessable
from wedsync.api.requests.pages import CURSOR, LIMIT, BadPage
from wedsync.wire.problems import FieldProblem

if TYPE_CHECKING:  # django-filter ships no types
    _FilterSet = Any
    _Backend = Any
else:
    _FilterSet = django_filters.FilterSet
    _Backend = DjangoFilterBackend

LONGEST_SEARCH = 100


class UnknownFilter(APIException):
    """A parameter that this list does not have."""

    status_code = 400
    slug = "unknown-filter"

    def __init__(self, unknown: list[str], known: list[str]) -> None:
        takes = f"Known: {', '.join(known)}." if known else "This request takes none."
        super().__init__(f"No such parameter: {', '.join(unknown)[:300]}. {takes}")


class Filters(_FilterSet):  # type: ignore[misc]
    """The filters of a list; ``search_in``: the columns that ``?q=`` searches, ignoring case."""

    search_in: tuple[str, ...] = ()

    def search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Rows that hold the text in one of the columns."""
        found = Q()
        for column in self.search_in:
            found |= Q(**{f"{column}__icontains": value})
        return rows.filter(found)


class SearchFilter(django_filters.CharFilter):  # type: ignore[misc]
    """``?q=``."""

    def __init__(self) -> None:
        super().__init__(method="search", max_length=LONGEST_SEARCH, help_text="A text to search for, ignoring case.")


def _refuse_empty(values: Any) -> None:
    """Refuse empty values, which would mean no filter at all.

    Raises:
        Unprocessable: for each filter with an empty value.
    """
    given = values.lists() if isinstance(values, MultiValueDict) else values.items()
    empty = [name for name, value in given if _is_empty(value)]
    if empty:
        raise Unprocessable(*(FieldProblem(name, "must not be empty; omit it instead") for name in empty))


def _refuse_second(filters: type[Filters], values: Any) -> None:
    """Refuse several values for a filter that takes one, since all but one would be ignored.

    Raises:
        Unprocessable: for each filter with several values.
    """
    if not isinstance(values, MultiValueDict):
        return
    several = [
        name
        for name, given in values.lists()
        if len(given) > 1 and not isinstance(filters.base_filters[name], django_filters.MultipleChoiceFilter)
    ]
    if several:
        raise Unprocessable(*(FieldProblem(name, "may be given only once") for name in several))


def _is_empty(value: Any) -> bool:
    if isinstance(value, list):
        return not value or any(_is_empty(each) for each in value)
    return value is None or (isinstance(value, str) and not value.strip())


def filtered(filters: type[Filters], rows: QuerySet[Any], values: Any) -> QuerySet[Any]:
    """The rows that match.

    Raises:
        UnknownFilter: a name is not a filter.
        Unprocessable: by filter, a value that is empty or invalid, or several where one is allowed.
    """
    check_names(filters, values, also=())
    _refuse_empty(values)
    _refuse_second(filters, values)
    found = filters(data=values, queryset=rows)
    if not found.is_valid():
        raise Unprocessable(
            *(FieldProblem(name, str(reason)) for name, reasons in found.errors.items() for reason in reasons)
        )
    return found.qs  # type: ignore[no-any-return]


def check_names(filters: type[Filters] | None, values: Mapping[str, Any], also: tuple[str, ...]) -> None:
    """Refuse names that are not filters.

    Raises:
        UnknownFilter: with all of them.
    """
    known = [*(filters.base_filters if filters else ()), *also]
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise UnknownFilter(unknown, known)


class StrictFilters(_Backend):  # type: ignore[misc]
    """The filters of a view's ``filterset_class``, for its list only."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: APIView) -> QuerySet[Any]:
        """See DRF."""
        if getattr(view, "action", None) != "list":
            return queryset
        filters = getattr(view, "filterset_class", None)
        check_names(filters, request.query_params, also=(CURSOR, LIMIT))
        if filters is None:
            return queryset
        values = request.query_params.copy()
        for name in (CURSOR, LIMIT):
            if len(values.pop(name, [])) > 1:
                raise BadPage(f"{name} may be given only once.")
        return filtered(filters, queryset, values)
