"""Rows for tests, each with an organization of its own unless one is given: ``DeliveryFactory(organization=mine)``.

Whatever hangs together is made in the same organization: a contact's wedding, a delivery's event and system, and so
on. Connections get one live secret with ``secret="..."``; systems take ``credentials={...}``.
"""

from __future__ import annotations

from tests.factories.integrations import (
    AlertFactory,
    AttemptFactory,
    BreakerChangeFactory,
    ConditionFactory,
    ConnectionFactory,
    ConnectionSecretFactory,
    DeliveryFactory,
    ExternalReferenceFactory,
    ReasonFactory,
    RouteFactory,
    SystemFactory,
)
from tests.factories.live import ChannelFactory, EntryFactory, EventFactory
from tests.factories.notifications import (
    IncidentFactory,
    MessageFactory,
    MessageTemplateFactory,
    NotificationFactory,
    PlanFactory,
    WhatsAppTemplateFactory,
)
from tests.factories.webhooks import NoticeFactory, ReceiptFactory
from tests.factories.weddings import (
    AddressFactory,
    ApiKeyFactory,
    ContactFactory,
    DeviceFactory,
    FormFactory,
    MembershipFactory,
    OrganizationFactory,
    PersonalLinkFactory,
    UserFactory,
    WeddingFactory,
)

__all__ = [
    "AddressFactory",
    "AlertFactory",
    "ApiKeyFactory",
    "AttemptFactory",
    "BreakerChangeFactory",
    "ChannelFactory",
    "ConditionFactory",
    "ConnectionFactory",
    "ConnectionSecretFactory",
    "ContactFactory",
    "DeliveryFactory",
    "DeviceFactory",
    "EntryFactory",
    "EventFactory",
    "ExternalReferenceFactory",
    "FormFactory",
    "IncidentFactory",
    "MembershipFactory",
    "MessageFactory",
    "MessageTemplateFactory",
    "NoticeFactory",
    "NotificationFactory",
    "OrganizationFactory",
    "PersonalLinkFactory",
    "PlanFactory",
    "ReasonFactory",
    "ReceiptFactory",
    "RouteFactory",
    "SystemFactory",
    "UserFactory",
    "WeddingFactory",
    "WhatsAppTemplateFactory",
]
