"""An organization with a wedding today, connected to the sandbox; a new one for each test."""

import itertools
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import requests
from django.db.models import QuerySet

from integrations.models import Connection, System
from integrations.routing.default_routes import Teams, make_routes
from notifications.channels.whatsapp.templates import SHIPPED
from tests.factories import (
    AddressFactory,
    ApiKeyFactory,
    ConnectionFactory,
    ContactFactory,
    ExternalReferenceFactory,
    FormFactory,
    OrganizationFactory,
    SystemFactory,
    WeddingFactory,
)
from tests.live.product import Product
from tests.vendor import signature
from wedsync.live.models import ChannelEvent
from wedsync.weddings.models import Contact, Form, Organization, Wedding

MOST_WORLDS = 400
ACCOUNTS = {
    "whatsapp": {
        "accounts": [
            {
                "phone_number_id": "106540352242922",
                "access_token": "EAAGtest",
                "display_phone_number": "+15550783881",
                "app_secret": "app",
                "verify_token": "verify",
                "callback_url": None,
                "templates": SHIPPED,
            }
        ]
    },
    "slack": {
        "webhooks": [{"path": f"T1/B{number}/x", "channel": f"#team-{number}"} for number in range(MOST_WORLDS)],
        "signing_secret": "slack",
        "callback_url": None,
    },
    "resend": {"accounts": [{"api_key": "re_test", "domains": ["wedsync.example"], "callback_url": None}]},
    "web_push": {},
    "studio_cloud": {"access_token": "studio", "signing_secret": "whsec_c3R1ZGlvIHNlY3JldCBmb3IgdGhlIHRlc3Rz"},
    "venue_master": {"access_token": "venue", "signing_secret": "whsec_dmVudWUgc2VjcmV0IGZvciB0aGUgdGVzdHM="},
}
_numbers = itertools.count()
SECRET = "the venue's signing secret"
ZONE = "Europe/Vienna"


@dataclass
class World:
    """What a test plays with."""

    product: Product
    organization: Organization
    wedding: Wedding
    people: dict[str, Contact]
    systems: dict[str, System]
    connection: Connection
    form: Form
    token: str
    slack_channel: str
    booking: str

    def events(self) -> QuerySet[ChannelEvent]:
        """What came from outside; not what we say of ourselves, such as whom today's weddings could reach."""
        return ChannelEvent.objects.filter(organization=self.organization).exclude(type__startswith="ops.")

    @property
    def url(self) -> str:
        return f"{self.product.base_url}/api/webhooks/channel-events/{self.connection.id}"

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def envelope(self, event_type: str, payload: dict[str, Any], **rest: Any) -> dict[str, Any]:
        return {
            "id": f"vm_{uuid4().hex}",
            "eventType": event_type,
            "timestamp": datetime.now(UTC).isoformat(),
            "payload": {"event_id": self.booking, **payload},
            **rest,
        }

    def post(self, envelope: dict[str, Any] | bytes, **rest: Any) -> requests.Response:
        """Post as VenueMaster would, signed here and not by the product."""
        body = envelope if isinstance(envelope, bytes) else json.dumps(envelope).encode()
        return requests.post(self.url, data=body, headers=signed(body, **rest), timeout=10)

    def capacity(self, number: int, **more: str) -> requests.Response:
        return self.post(self.envelope("capacity.updated", {"max_capacity": number, "previous": 150, **more}))

    def emergency(self) -> requests.Response:
        payload = {
            "kind": "power_outage",
            "description": "No light in the hall",
            "reported_by": "Tom Berger",
            "contact_phone": "+12025550104",
        }
        return self.post(self.envelope("emergency.reported", payload))

    def ticket(self, **body: Any) -> str:
        url = f"{self.product.base_url}/api/channels/tickets/"
        answer = requests.post(url, json=body, headers=self.headers, timeout=5)
        assert answer.status_code == 201, answer.text
        text: str = answer.json()["ticket"]
        return text

    def patch(self, wedding: Wedding | None = None, **fields: Any) -> requests.Response:
        url = f"{self.product.base_url}/api/weddings/{(wedding or self.wedding).id}/"
        return requests.patch(url, json=fields, headers=self.headers, timeout=10)

    def further_weddings(self, count: int) -> list[Wedding]:
        """Weddings of the same organization that Studio Cloud knows; nobody else is told of them."""
        made = [WeddingFactory(organization=self.organization, timezone=ZONE) for _ in range(count)]
        for wedding in made:
            ExternalReferenceFactory(
                organization=self.organization, system=self.systems["studio_cloud"], wedding=wedding
            )
        return made


def signed(body: bytes, *, secret: str = SECRET, at: float | None = None) -> dict[str, str]:
    return {"Content-Type": "application/json", "X-Venue-Signature": signature(body, secret, at=at)}


def make_world(product: Product) -> World:
    number = next(_numbers)
    assert number < MOST_WORLDS, "no Slack channel is left"
    organization = OrganizationFactory(slug=f"live-{uuid4().hex[:12]}")
    wedding = WeddingFactory(organization=organization, date=datetime.now(ZoneInfo(ZONE)).date(), timezone=ZONE)
    people = {
        role: _person(wedding, role, f"+1202{number + 555:03d}01{place:02d}", number)
        for place, role in enumerate(["couple", "photographer", "caterer", "coordinator"])
    }
    systems = _systems(organization, product, number)
    booking = f"BK-{uuid4().hex[:8]}"
    for kind in ("studio_cloud", "venue_master"):
        ExternalReferenceFactory(organization=organization, system=systems[kind], wedding=wedding, external_id=booking)
    make_routes(
        organization,
        Teams(
            photography=systems["studio_cloud"],
            venue=systems["venue_master"],
            coordination=systems["slack"],
            planning=systems["slack"],
            catering=systems["slack"],
        ),
    )
    token = f"wsk_{uuid4().hex}"
    ApiKeyFactory(organization=organization, key=token)
    return World(
        product,
        organization,
        wedding,
        people,
        systems,
        ConnectionFactory(organization=organization, system=systems["venue_master"], secret=SECRET),
        FormFactory(organization=organization, wedding=wedding, wedding_fields={"new_date": "date"}),
        token,
        f"#team-{number}",
        booking,
    )


def _person(wedding: Wedding, role: str, phone: str, number: int) -> Contact:
    AddressFactory(organization=wedding.organization, value=phone)
    return ContactFactory(
        organization=wedding.organization, wedding=wedding, role=role, phone=phone, email=f"{role}{number}@p.example"
    )


def _systems(organization: Organization, product: Product, number: int) -> dict[str, System]:
    rows: dict[str, tuple[str, dict[str, str]]] = {
        "whatsapp": ("whatsapp", {"access_token": "EAAGtest", "phone_number_id": "106540352242922"}),
        "slack": ("slack", {"webhook_path": f"T1/B{number}/x"}),
        "email": ("resend", {"api_key": "re_test", "from": "WedSync <hello@wedsync.example>"}),
        **{kind: (kind, dict(ACCOUNTS[kind])) for kind in ("studio_cloud", "venue_master")},  # type: ignore[arg-type]
    }
    return {
        kind: SystemFactory(
            organization=organization,
            name=kind,
            kind=kind,
            base_url=f"{product.sandbox_url}/{path}",
            credentials=credentials,
        )
        for kind, (path, credentials) in rows.items()
    }
