"""Servers of their own for all tests of this folder: one of them restarts PostgreSQL."""

from collections.abc import Iterator

import pytest

from bench.ground import Facts, Ground
from bench.servers import Server, our_web


@pytest.fixture(scope="package")
def ground() -> Iterator[Ground]:
    with Ground(durable=False) as started:
        yield started


@pytest.fixture
def facts(ground: Ground) -> Facts:
    """An organization of the test's own."""
    return ground.make_product(weddings=5)


@pytest.fixture
def web(ground: Ground, facts: Facts) -> Iterator[Server]:
    with our_web(ground) as started:
        yield started
