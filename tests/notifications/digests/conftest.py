"""What the tests of this folder share."""

from datetime import date
from typing import Any

import pytest
from pytest_django import Settings

from tests.factories import WeddingFactory


@pytest.fixture
def windows_of_the_product(settings: Settings) -> None:
    settings.DIGEST_SECONDS, settings.COLLAPSE_SECONDS = 900.0, 20.0


@pytest.fixture
def wedding() -> Any:
    return WeddingFactory(date=date(2030, 6, 19))
