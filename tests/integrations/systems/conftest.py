"""What the tests of this folder share."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from integrations.outbound.sending import close_idle
from integrations.vendors import VENDORS
from tests.integrations.systems.trial_places import MAY_ONLY_SEND
from tests.sandbox.sandbox_peer import SECRET, VENDOR_TOKEN, Peer, running
from tests.sandbox.sandbox_peer import configuration as usual


@pytest.fixture(scope="session")
def shared_outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    home = tmp_path_factory.mktemp("trials-home")
    vendor = {"access_token": VENDOR_TOKEN, "signing_secret": SECRET}
    config = usual() | dict.fromkeys(VENDORS, vendor)
    config["resend"]["accounts"].append({"api_key": MAY_ONLY_SEND, "domains": [], "sending_only": True})
    (home / "sandbox.json").write_text(json.dumps(config))
    with running(home) as peer:
        yield peer
    close_idle()


@pytest.fixture
def outside(shared_outside: Peer, settings: Any) -> Peer:
    settings.OUTBOUND_ALLOW = [f"127.0.0.1/32:{shared_outside.port}"]
    shared_outside.forget()
    return shared_outside
