"""Twenty ways in which an emergency can come broken, or meet something that is; any vendor can send each of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from django.utils import timezone

from integrations.admission import breakers
from integrations.models import Connection, ExternalReference, Route, System
from integrations.signatures.standard_webhooks import StandardWebhooks
from integrations.vendors import VENDORS
from tests.factories import (
    ConnectionFactory,
    ExternalReferenceFactory,
    MembershipFactory,
    SystemFactory,
    UserFactory,
    WeddingFactory,
)
from tests.live.product import Product
from tests.live.world import World, make_world
from tests.senders import Answer, Sender
from wedsync.weddings.models import Address, Contact, Wedding

OWNER, SUPPORT = "owner", "support"
ELSEWHERE = ("Pacific/Kiritimati", "Pacific/Pago_Pago")  # 25 hours apart: in one of them it is another day than in UTC


@dataclass
class Sent:
    """A vendor of an organization of its own, whose one wedding is today; the emergency says ``marker``."""

    world: World
    sender: Sender
    system: System
    marker: str
    booking: str
    staff: tuple[str, str]

    def emergency(self, **said: Any) -> dict[str, Any]:
        """Its envelope; of the payload ``None`` leaves a field out."""
        payload = {
            "kind": "fire",
            "description": f"Smoke in the cellar {self.marker}",
            "reported_by": "Front desk",
            "contact_phone": "+12025550104",
            "booking_id": self.booking,
            **said,
        }
        return {
            "id": f"e_{uuid4().hex}",
            "eventType": "venue.emergency_reported",
            "timestamp": datetime.now(UTC).isoformat(),
            "payload": {name: value for name, value in payload.items() if value is not None},
        }

    def post(self, envelope: dict[str, Any]) -> Answer:
        """Signed as the vendor signs; escapes such as ``\\ud83d`` stay as they are."""
        return self.sender.post(json.dumps(envelope).encode())

    def send(self, **said: Any) -> None:
        """The emergency, whatever is answered."""
        self.post(self.emergency(**said))


def make_sent(product: Product, slug: str) -> Sent:
    """All of it, with an owner and a member of support who have no other way than email."""
    world = make_world(product)
    mine = world.organization
    system = world.systems.get(slug) or SystemFactory(organization=mine, kind=slug, name=slug)
    booking = ExternalReference.objects.filter(system=system).values_list("external_id", flat=True).first()
    if booking is None:
        booking = f"BK-{uuid4().hex[:8]}"
        ExternalReferenceFactory(organization=mine, system=system, wedding=world.wedding, external_id=booking)
    secret = StandardWebhooks().new_secret()
    connection = ConnectionFactory(organization=mine, system=system, secret=secret)
    marker = uuid4().hex[:10]
    staff = (f"{OWNER}-{marker}@staff.example", f"{SUPPORT}-{marker}@staff.example")
    for role, email in zip((OWNER, SUPPORT), staff, strict=True):
        MembershipFactory(organization=mine, role=role, user=UserFactory(username=email, email=email))
    return Sent(world, Sender(product.port, VENDORS[slug], connection, secret), system, marker, booking, staff)


def _blank(sent: Sent) -> None:
    sent.send(booking_id="", contact_phone="", venue_name="")


def _unlinked(sent: Sent) -> None:
    sent.send(booking_id=None)


def _unknown_booking(sent: Sent) -> None:
    sent.send(booking_id="BK-nobody-knows")


def _two_today(sent: Sent) -> None:
    today = sent.world.wedding
    other = WeddingFactory(organization=sent.world.organization, date=today.date, timezone=today.timezone)
    ExternalReferenceFactory(organization=sent.world.organization, system=sent.system, wedding=other)
    sent.send(booking_id=None)


def _none_today(sent: Sent) -> None:
    Wedding.objects.filter(id=sent.world.wedding.id).update(date=sent.world.wedding.date + timedelta(days=5))
    sent.send(booking_id=None)


def _other_day(sent: Sent) -> None:
    now = timezone.now()
    zone = next(zone for zone in ELSEWHERE if now.astimezone(ZoneInfo(zone)).date() != now.date())
    day = now.astimezone(ZoneInfo(zone)).date()
    Wedding.objects.filter(id=sent.world.wedding.id).update(timezone=zone, date=day)
    sent.send(booking_id=None)


def _over_the_limit(sent: Sent) -> None:
    Connection.objects.filter(id=sent.sender.connection.id).update(limit_per_hour=1)
    for number in range(2):
        sent.sender.post(sent.sender.body({"capacity": 180 + number}))
    sent.send()


def _too_long(sent: Sent) -> None:
    sent.send(description=f"Smoke {sent.marker} " + "x" * 10_001, kind="fire " * 100, reported_by="y" * 300)


def _wrong_types(sent: Sent) -> None:
    sent.send(contact_phone=12025550104, kind=["fire"], reported_by=None)


def _nul(sent: Sent) -> None:
    sent.send(description=f"Smoke\x00 {sent.marker}", kind="fi\x00re")


def _half_an_emoji(sent: Sent) -> None:
    sent.send(description=f"Smoke \ud83d {sent.marker}")


def _again_the_same(sent: Sent) -> None:
    envelope = sent.emergency()
    for _ in range(3):
        sent.post(envelope)


def _again_another(sent: Sent) -> None:
    ordinary = sent.sender.envelope()
    sent.post(ordinary)
    sent.post(sent.emergency() | {"id": ordinary["id"]})


def _capitals(sent: Sent) -> None:
    sent.post(sent.emergency() | {"eventType": "VENUE.EMERGENCY_REPORTED"})


def _another_tenant(sent: Sent) -> None:
    sent.send(booking_id=None, wedding_id=str(WeddingFactory().id))


def _paused(sent: Sent) -> None:
    Connection.objects.filter(id=sent.sender.connection.id).update(state="paused")
    sent.send()


def _no_consent(sent: Sent) -> None:
    mine = sent.world.organization
    Address.objects.filter(organization=mine).update(consented_at=None)
    for contact in Contact.objects.filter(organization=mine):
        Address.objects.create(
            organization=mine, channel="email", value=contact.email.lower(), opted_out_at=timezone.now()
        )
    Route.objects.filter(organization=mine, system__kind="slack").delete()
    sent.send()


def _nobody_called(sent: Sent) -> None:
    mine = sent.world.organization
    Route.objects.filter(organization=mine).delete()
    Contact.objects.filter(organization=mine, role="coordinator").delete()
    Contact.objects.filter(organization=mine).update(call_order=None)
    sent.send()


def trip_breakers(sent: Sent) -> None:
    """Every channel's breaker is open."""
    for kind in ("whatsapp", "slack", "email"):
        breakers.trip(sent.world.systems[kind], seconds=3)


def _plain(sent: Sent) -> None:
    sent.send()


@dataclass(frozen=True)
class Way:
    """One way. ``name``: as the table has it; ``break_it``: what it needs and sends."""

    name: str
    break_it: Callable[[Sent], None]


WAYS = (
    Way("optional fields blank", _blank),
    Way("no booking named", _unlinked),
    Way("a booking that is not known", _unknown_booking),
    Way("two weddings today, none named", _two_today),
    Way("no wedding today, none named", _none_today),
    Way("a zone where today is another day", _other_day),
    Way("over the connection's limit", _over_the_limit),
    Way("texts too long", _too_long),
    Way("wrong types, fields missing", _wrong_types),
    Way("NUL in a text", _nul),
    Way("half an emoji", _half_an_emoji),
    Way("the same id and body again", _again_the_same),
    Way("an id that came before with another body", _again_another),
    Way("`eventType` in capitals", _capitals),
    Way("another tenant's `wedding_id`", _another_tenant),
    Way("connection paused", _paused),
    Way("no consent anywhere", _no_consent),
    Way("nobody in the call order, no route", _nobody_called),
)
REDIS_AWAY = Way("breakers open, Redis away for 6 s", _plain)
CHANNELS_DOWN = Way("every channel down", _plain)
