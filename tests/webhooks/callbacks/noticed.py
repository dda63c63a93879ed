"""Doors, messages and stored notices, for tests of what notices change."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone

from integrations.models import Connection, System
from notifications.models import Message
from tests.factories import ConnectionFactory, DeliveryFactory, MessageFactory, NoticeFactory, SystemFactory
from webhooks.callbacks import PROVIDERS
from webhooks.models import ProviderNotice
from wedsync.weddings.models import Address

PHONE, MAIL = "+16505551234", "anna@people.example"
EMAIL_ID = "49a3999c-0ce1-4ea6-ab68-afcd6dc2e794"
SENT_AT = datetime.fromtimestamp(1750857384, UTC)
PROVIDER = {"whatsapp": "whatsapp", "email": "resend", "slack": "slack", "sms": "twilio"}


def door_of(kind: str, system: System | None = None) -> Connection:
    system = system or SystemFactory(kind=kind)
    made: Connection = ConnectionFactory(organization=system.organization, system=system)
    return made


def a_message(door: Connection, provider_id: str = "wamid.1", **rest: Any) -> Message:
    channel = door.system.kind
    address = PHONE if channel in {"whatsapp", "sms"} else MAIL
    delivery = DeliveryFactory(organization=door.organization, system=door.system, channel=channel, target=address)
    made: Message = MessageFactory(
        organization=door.organization,
        delivery=delivery,
        channel=channel,
        address=address,
        provider_id=provider_id,
        **rest,
    )
    return made


def told(door: Connection, body: bytes, url: str = "", **rest: Any) -> list[ProviderNotice]:
    """What the provider's own body is read as, stored."""
    headers = {"svix-id": ["msg_1"]}
    return [
        NoticeFactory(
            organization=door.organization,
            connection=door,
            kind=each.kind,
            name=each.name,
            provider_id=each.provider_id,
            occurred_at=each.occurred_at,
            data=each.data,
            **rest,
        )
        for each in PROVIDERS[PROVIDER[door.system.kind]].read(headers, body, timezone.now(), url)
    ]


def row(notice: ProviderNotice) -> ProviderNotice:
    return ProviderNotice.objects.get(id=notice.id)


def now_of(message: Message) -> Message:
    return Message.objects.get(id=message.id)


def address(message: Message) -> Address:
    return Address.objects.get(organization=message.organization, channel=message.channel, value=message.address)


def make_old(notice: ProviderNotice, **ago: float) -> None:
    """As if it had come so long ago, and were due."""
    rows = ProviderNotice.objects.filter(id=notice.id)
    rows.update(received_at=timezone.now() - timedelta(**ago))
    rows.exclude(take_after=None).update(take_after=timezone.now() - timedelta(seconds=1))
