"""A sandbox that plays every vendor, with rows of ours that lead to it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from integrations.models import Delivery, ExternalReference, System
from integrations.outbound import Request, Response, send
from integrations.system_channel.sender import SystemSender
from integrations.vendors import VENDORS
from tests.factories import DeliveryFactory, ExternalReferenceFactory, SystemFactory, WeddingFactory
from tests.sandbox.sandbox_peer import Peer, running
from wedsync.live.models import ChannelEvent
from wedsync.weddings.models import Contact, Wedding

OLD, NEW = "whsec_b2xkIHNlY3JldCBvZiB0aGUgdGVzdHMhIQ==", "whsec_bmV3IHNlY3JldCBvZiB0aGUgdGVzdHMhIQ=="
TOKEN = "vendor-token"
NAMED = "signed-receiver"


@pytest.fixture(scope="session")
def shared_vendors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    home = tmp_path_factory.mktemp("vendors-home")
    account = {"access_token": TOKEN, "signing_secret": OLD}
    config = dict.fromkeys(VENDORS, account) | {"receivers": {NAMED: account}}
    (home / "sandbox.json").write_text(json.dumps(config))
    with running(home) as peer:
        yield peer


@pytest.fixture
def vendors(shared_vendors: Peer, settings: Any) -> Peer:
    """The sandbox, emptied, on the operator's list."""
    settings.OUTBOUND_ALLOW = [f"127.0.0.1/32:{shared_vendors.port}"]
    for thing in ("faults", "messages", "requests", "records", "tally"):
        requests.delete(f"{shared_vendors.url}/_/{thing}", timeout=10).raise_for_status()
    return shared_vendors


@dataclass
class Told:
    """Our rows of one system that knows one wedding, and the way to it."""

    peer: Peer
    system: System
    wedding: Wedding

    def put(self, kind: str, *records: dict[str, Any]) -> None:
        """Somebody at the vendor's changes their records."""
        body = {"service": self.system.kind, "kind": kind, "records": records}
        requests.post(f"{self.peer.url}/_/records", json=body, timeout=10).raise_for_status()

    def records(self, kind: str) -> list[dict[str, Any]]:
        """What the vendor's system holds."""
        found: list[dict[str, Any]] = self.peer.get(
            "/_/records", params={"service": self.system.kind, "kind": kind}
        ).json()["records"]
        return found

    def knows(self, contact: Contact, external_id: str, **rest: Any) -> ExternalReference:
        """The system has a name for a person."""
        made: ExternalReference = ExternalReferenceFactory(
            organization=self.system.organization,
            system=self.system,
            kind="client",
            external_id=external_id,
            wedding=None,
            contact=contact,
            **rest,
        )
        return made

    def delivery(self, event: ChannelEvent) -> Delivery:
        """An event on its way to the system."""
        made: Delivery = DeliveryFactory(organization=self.system.organization, event=event, system=self.system)
        return made


@pytest.fixture
def told(vendors: Peer) -> Callable[..., Told]:
    """Make a system of a kind that knows a wedding; ``booking=None``: that does not."""

    def make(
        kind: str, booking: str | None = "BK-7", wedding: Wedding | None = None, path: str = "", **rest: Any
    ) -> Told:
        found = wedding or WeddingFactory()
        credentials = {"access_token": TOKEN, "signing_secret": OLD} | rest.pop("credentials", {})
        system = SystemFactory(
            organization=found.organization,
            kind=kind,
            base_url=f"{vendors.url}/{path or kind}",
            credentials=credentials,
            **rest,
        )
        if booking:
            ExternalReferenceFactory(organization=found.organization, system=system, wedding=found, external_id=booking)
        return Told(vendors, system, found)

    return make


def send_now(delivery: Delivery) -> Response:
    """What a worker does with a delivery, in the order of ``targets.Sender``."""
    sender = SystemSender()
    request = sender.render(delivery)
    delivery.request = request.as_json()
    delivery.save(update_fields=["request"])
    response = send(sender.prepare(delivery, Request.from_json(delivery.request)), deadline=5)
    sender.accepted(delivery, sender.judge(response))
    return response
