"""What the tests of this folder share."""

from datetime import date
from typing import Any

import pytest

from tests.factories import WeddingFactory


@pytest.fixture
def wedding() -> Any:
    return WeddingFactory(date=date(2030, 6, 19))
