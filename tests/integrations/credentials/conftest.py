"""What the tests of this folder share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from http.server import ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from tests.factories import OrganizationFactory
from tests.integrations.credentials.named import NAME, Echo
from wedsync.weddings.models import Organization


@pytest.fixture
def echo(settings: Any) -> Iterator[type[Echo]]:
    part = type("Part", (Echo,), {"heard": [], "status": 200})
    with ThreadingHTTPServer(("127.0.0.1", 0), part) as server:
        Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        settings.OUTBOUND_ALLOW = (f"127.0.0.1/32:{server.server_port}",)
        part.url = f"http://127.0.0.1:{server.server_port}"  # type: ignore[attr-defined]
        yield part
        server.shutdown()


@pytest.fixture
def lakeside(db: None) -> Organization:
    made: Organization = OrganizationFactory(slug="lakeside")
    return made


@pytest.fixture
def listed(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Lists a variable for an organization and sets it."""

    def put(value: str, organization: str = "lakeside", name: str = NAME) -> None:
        settings.CREDENTIALS_ALLOWED = settings.CREDENTIALS_ALLOWED | {f"{organization}:{name}"}
        monkeypatch.setenv(name, value)

    return put
