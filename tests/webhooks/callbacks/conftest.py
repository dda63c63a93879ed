"""A database connection beside Django's."""

from collections.abc import Iterator

import pytest

from tests.webhooks.callbacks.plain_database import PlainDatabase


@pytest.fixture
def database(transactional_db: None) -> Iterator[PlainDatabase]:
    made = PlainDatabase()
    yield made
    made.close()
