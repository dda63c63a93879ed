"""The running product, once for all tests of this folder; they write committed rows into organizations of their own."""

from collections.abc import Iterator

import pytest
from django.core.management import call_command
from playwright.sync_api import Page, sync_playwright
from pytest_django import DjangoDbBlocker

from tests.live.browsing import ARGUMENTS, CHROMIUM
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


@pytest.fixture
def page(world: World) -> Iterator[Page]:
    """An empty page; whatever it complains about, also what its policy refused, fails the test."""
    assert CHROMIUM, "chromium is missing; .ci/run installs it"
    complaints: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        page.set_default_timeout(10_000)
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        yield page
        browser.close()
    assert complaints == []
