import inspect

import pytest
from factory.django import DjangoModelFactory

from tests import factories

FACTORIES = [
    found
    for _, found in inspect.getmembers(factories, inspect.isclass)
    if issubclass(found, DjangoModelFactory) and found._meta.model
]


@pytest.mark.django_db
@pytest.mark.parametrize("made_by", FACTORIES, ids=lambda found: found.__name__)
def test_every_factory_makes_rows_of_one_organization(made_by: type[DjangoModelFactory]) -> None:
    first, second = made_by(), made_by()

    assert first.pk != second.pk
    organization = getattr(first, "organization_id", None)
    for field in first._meta.fields:
        related = getattr(first, field.name) if field.is_relation else None
        if organization and hasattr(related, "organization_id"):
            assert related.organization_id == organization
