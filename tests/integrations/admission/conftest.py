"""What the tests of this folder share."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
import redis
from pytest_django import Settings

from integrations.admission import Lane
from integrations.admission.scripts import PREFIX, scripts_at

SPANS_OF_TEN = 60.0  # seconds of window, so that a bucket has ten


@pytest.fixture
def client(settings: Settings) -> redis.Redis:
    settings.BREAKER_OPEN_SECONDS = 30.0
    settings.BREAKER_WINDOW_SECONDS = SPANS_OF_TEN
    return scripts_at(settings.BREAKER_URL).client


@pytest.fixture
def every_key_expires(client: redis.Redis) -> Iterator[None]:
    """Whatever a test did: nothing of admission stays in Redis for ever."""
    yield
    lives = {key: client.ttl(key) for key in client.scan_iter(f"{PREFIX}*")}
    assert all(0 <= life < 86_400 for life in lives.values()), lives


@pytest.fixture
def lane() -> Lane:
    system = uuid4()
    return Lane(system, str(system), call_limit=4, rate=None, burst=1)
