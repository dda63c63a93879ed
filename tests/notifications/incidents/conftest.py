"""What the tests of this folder share."""

from __future__ import annotations

import pytest

from tests.notifications.houses import House, a_house


@pytest.fixture
def house() -> House:
    return a_house()
