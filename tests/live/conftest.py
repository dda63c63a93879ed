"""The running product, once for all tests of this folder; they write committed rows into organizations of their own."""

from collections.abc import Iterator

import pytest
from django.core.management import call_command
from pytest_django import DjangoDbBlocker

from tests.live.product import Product, write_config
from tests.live.world import ACCOUNTS, World, make_world


@pytest.fixture(scope="package")
def product(
    tmp_path_factory: pytest.TempPathFactory, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[Product]:
    with django_db_blocker.unblock():
        started = Product(tmp_path_factory.mktemp("product"))
        write_config(started.home, ACCOUNTS)
        try:
            started.start()
            yield started
        finally:
            started.stop()
            call_command("flush", interactive=False, verbosity=0)  # others on this worker begin with nothing


@pytest.fixture
def world(product: Product) -> Iterator[World]:
    for name in product.commands:
        if name not in product.processes:
            product.start(name)
    product.heal()
    yield make_world(product)
    product.heal()
