"""Any vendor's side of a door of its own. Each answer must have the form that all answers of the door have."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from time import time
from typing import Any
from uuid import uuid4

from integrations.models import Connection
from integrations.signatures.base import SignatureScheme
from integrations.signatures.standard_webhooks import StandardWebhooks
from integrations.vendors import VENDORS
from integrations.vendors.base import Vendor
from tests.factories import ConnectionFactory
from webhooks.models import DedupId, Receipt
from wedsync.live.models import ChannelEvent

Pairs = Iterable[tuple[str, str]]
PATH = "/api/webhooks/channel-events"
JSON = ("Content-Type", "application/json")
HERE = "127.0.0.1"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found

    @property
    def outcome(self) -> tuple[int, str]:
        """Its code and, of a problem, the slug; else the status in its body."""
        if self.status < 400:
            return self.status, str(self.json["status"])
        return self.status, str(self.json["type"]).removeprefix("/problems/")

    def check_form(self) -> None:
        """What stands on every answer. docs/vendors/README.md, "Limits"."""
        for name in ("Limit", "Remaining", "Reset"):
            assert self.headers[f"ratelimit-{name.lower()}"].isdigit()
        if self.status < 400:
            assert self.headers["content-type"] == "application/json"
            assert set(self.json) == {"id", "status"}
        else:
            assert self.headers["content-type"] == "application/problem+json"
            assert self.json["status"] == self.status
            assert self.json["title"]
            assert self.json["detail"]


@dataclass(frozen=True)
class Sender:
    """``secret``: fits every vendor's scheme. ``here``: the address that its requests come from.

    ``patience``: seconds that it waits for an answer.
    """

    port: int
    vendor: Vendor
    connection: Connection
    secret: str
    here: str = HERE
    patience: float = 10

    @property
    def scheme(self) -> SignatureScheme:
        return self.vendor.signature

    @property
    def path(self) -> str:
        return f"{PATH}/{self.connection.id}"

    def at(self, port: int, here: str = HERE) -> "Sender":
        """The same vendor, at another web process or from another address."""
        return replace(self, port=port, here=here)

    def within(self, patience: float) -> "Sender":
        """The same vendor, who waits so many seconds for an answer."""
        return replace(self, patience=patience)

    def envelope(self, payload: Mapping[str, Any] | None = None, **rest: Any) -> dict[str, Any]:
        return {
            "id": f"e_{uuid4().hex}",
            "eventType": "venue.capacity_updated",
            "timestamp": datetime.now(UTC).isoformat(),
            "payload": {"capacity": 180, **(payload or {})},
            **rest,
        }

    def body(self, payload: Mapping[str, Any] | None = None, **rest: Any) -> bytes:
        return json.dumps(self.envelope(payload, **rest)).encode()

    def sign(self, body: bytes, *, secret: str | None = None, ahead: float = 0) -> dict[str, str]:
        """``ahead``: seconds that the sender's clock is ahead of ours."""
        return self.scheme.sign(body, secret or self.secret, time() + ahead)

    def signature_header(self) -> str:
        """The one header that depends on the secret."""
        ours, others = self.sign(b""), self.sign(b"", secret=StandardWebhooks().new_secret())
        (name,) = (name for name, value in ours.items() if others[name] != value)
        return name

    def post(self, body: bytes) -> Answer:
        """As the vendor would."""
        return self.ask(body, [JSON, *self.sign(body).items()])

    def ask(self, body: bytes, headers: Pairs, *, method: str = "POST", path: str | None = None) -> Answer:
        """With these headers, which may name one twice."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=self.patience, source_address=(self.here, 0))
        try:
            connection.putrequest(method, path or self.path, skip_accept_encoding=True)
            for name, value in (("Content-Length", str(len(body))), *headers):
                connection.putheader(name, value)
            connection.endheaders(body)
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            answer = Answer(response.status, found, response.read())
        finally:
            connection.close()
        answer.check_form()
        return answer

    def stored(self) -> tuple[int, int, int]:
        """Events, claimed ids, and receipts that say accepted or unrecognised."""
        receipts = Receipt.objects.filter(connection=self.connection, verdict__in=["accepted", "unrecognised"])
        events = ChannelEvent.objects.filter(organization=self.connection.organization_id)
        return events.count(), DedupId.objects.filter(connection=self.connection).count(), receipts.count()


def make_sender(port: int, slug: str, **connection: Any) -> Sender:
    """A vendor's, with an organization, a system and a connection of its own."""
    secret = StandardWebhooks().new_secret()
    made = ConnectionFactory(system__kind=slug, secret=secret, **connection)
    return Sender(port, VENDORS[slug], made, secret)


def moved(**back: float) -> str:
    """A time that lies so far back, as envelopes say it."""
    return (datetime.now(UTC) - timedelta(**back)).isoformat()
