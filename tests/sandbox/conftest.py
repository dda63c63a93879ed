"""One sandbox process for the folder's tests; each test begins with an empty world."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sandbox.sandbox_peer import Peer, configuration, running
from tests.sandbox.sandbox_product import Product


@pytest.fixture(scope="session")
def shared_peer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    home = tmp_path_factory.mktemp("sandbox-home")
    (home / "sandbox.json").write_text(json.dumps(configuration()))
    with running(home) as peer:
        yield peer


@pytest.fixture
def peer(shared_peer: Peer) -> Peer:
    shared_peer.forget()
    return shared_peer


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home of its own, for tests that stop the sandbox or change its configuration."""
    (tmp_path / "sandbox.json").write_text(json.dumps(configuration()))
    return tmp_path


@pytest.fixture
def product() -> Iterator[Product]:
    product = Product()
    yield product
    product.server.shutdown()
    product.server.server_close()


@pytest.fixture
def calling_peer(home: Path, product: Product) -> Iterator[Peer]:
    config = configuration()
    base = f"http://127.0.0.1:{product.server.server_port}"
    config["whatsapp"]["accounts"][0]["callback_url"] = f"{base}/whatsapp"
    config["slack"]["callback_url"] = f"{base}/slack"
    config["resend"]["accounts"][0]["callback_url"] = f"{base}/resend"
    config["twilio"]["accounts"][0]["callback_url"] = f"{base}/twilio"
    (home / "sandbox.json").write_text(json.dumps(config))
    with running(home) as peer:
        yield peer
