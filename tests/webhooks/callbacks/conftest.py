"""The doors of a web process."""

import pytest

from webhooks.doors import Doors


@pytest.fixture
def doors(committed: None) -> Doors:
    """None of them known yet."""
    return Doors()
