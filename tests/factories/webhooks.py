"""Receipts, and what providers told."""

from __future__ import annotations

import factory
from django.utils import timezone

from tests.factories.integrations import ConnectionFactory
from tests.factories.weddings import Owned, beside
from webhooks.models import ProviderNotice, Receipt


class ReceiptFactory(Owned):
    class Meta:
        model = Receipt

    connection = factory.SubFactory(ConnectionFactory, organization=beside("organization"))
    verdict = Receipt.Verdict.ACCEPTED
    external_id = factory.Sequence(lambda number: f"vm_{number}")
    event_type = "capacity.updated"
    body = b'{"id":"vm_1","eventType":"capacity.updated","payload":{"max_capacity":180}}'


class NoticeFactory(Owned):
    """Of a connection's receipt; both are made in one organization."""

    class Meta:
        model = ProviderNotice

    connection = factory.SubFactory(ConnectionFactory, organization=beside("organization"))
    receipt = factory.LazyAttribute(
        lambda row: ReceiptFactory(organization=row.organization, connection=row.connection, event_type="delivered")
    )
    kind = ProviderNotice.Kind.STATUS
    name = "delivered"
    provider_id = factory.Sequence(lambda number: f"wamid.{number}")
    occurred_at = factory.LazyFunction(timezone.now)
    data = factory.LazyFunction(lambda: {"status": "delivered"})
