"""What the tests of this folder share."""

import pytest

from tests.factories import OrganizationFactory
from wedsync.weddings.models import Organization


@pytest.fixture
def house(db: None) -> Organization:
    return OrganizationFactory()
