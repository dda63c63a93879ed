"""Systems, connections, routes, deliveries, alerts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from integrations.models import (
    Alert,
    Attempt,
    BreakerChange,
    Connection,
    ConnectionSecret,
    Delivery,
    DeliveryReason,
    ExternalReference,
    Route,
    RouteCondition,
    System,
)
from integrations.models.health import Cause
from integrations.states import Outcome
from tests.factories.live import EventFactory
from tests.factories.weddings import Owned, WeddingFactory, beside
from wedsync import vault
from wedsync.queues import Priority


class SystemFactory(Owned):
    """``credentials``: in clear, stored encrypted."""

    class Meta:
        model = System

    class Params:
        credentials: dict[str, str] = {}

    name = factory.Sequence(lambda number: f"VenueMaster {number}")
    kind = System.Kind.VENUE_MASTER
    base_url = "https://venue.example"
    sealed_credentials = factory.LazyAttribute(lambda row: vault.seal(dict(row.credentials)))


class ConnectionFactory(Owned):
    """``secret``: makes one live signing secret."""

    class Meta:
        model = Connection
        skip_postgeneration_save = True

    system = factory.SubFactory(SystemFactory, organization=beside("organization"))

    @factory.post_generation
    def secret(self, create: bool, extracted: str | None, **_: Any) -> None:
        if create and extracted:
            ConnectionSecret.objects.create(connection=self, sealed=vault.encrypt(extracted))


class ConnectionSecretFactory(DjangoModelFactory[ConnectionSecret]):
    """``text``: in clear."""

    class Meta:
        model = ConnectionSecret

    class Params:
        text = "a signing secret"

    connection = factory.SubFactory(ConnectionFactory)
    sealed = factory.LazyAttribute(lambda row: vault.encrypt(row.text))


class ExternalReferenceFactory(Owned):
    class Meta:
        model = ExternalReference

    system = factory.SubFactory(SystemFactory, organization=beside("organization"))
    wedding = factory.SubFactory(WeddingFactory, organization=beside("organization"))
    external_id = factory.Sequence(lambda number: f"BK-{number}")


class RouteFactory(Owned):
    """To a system; for others give ``target`` and ``system=None``."""

    class Meta:
        model = Route

    name = factory.Sequence(lambda number: f"To the venue {number}")
    channel_pattern = "supplier:dashboard:{supplierId}"
    target = Route.Target.SYSTEM
    system = factory.SubFactory(SystemFactory, organization=beside("organization"))


class ConditionFactory(DjangoModelFactory[RouteCondition]):
    class Meta:
        model = RouteCondition

    route = factory.SubFactory(RouteFactory)
    path = "guest_count"
    operator = "greater"
    value = 100


class DeliveryFactory(Owned):
    """Pending and due now."""

    class Meta:
        model = Delivery

    event = factory.SubFactory(EventFactory, organization=beside("organization"))
    system = factory.SubFactory(SystemFactory, organization=beside("organization"))
    channel = "system"
    target = factory.LazyAttribute(lambda row: str(row.system.id))
    dedupe_key = factory.LazyAttribute(
        lambda row: Delivery.key(row.event.id, "system", row.target, row.channel, generation=row.generation)
    )
    generation = 0
    priority = Priority.HIGH
    next_attempt_at = factory.LazyFunction(timezone.now)
    due_since = factory.SelfAttribute("next_attempt_at")
    expires_at = factory.LazyFunction(lambda: timezone.now() + timedelta(days=1))


class ReasonFactory(DjangoModelFactory[DeliveryReason]):
    class Meta:
        model = DeliveryReason

    delivery = factory.SubFactory(DeliveryFactory)
    route = factory.LazyAttribute(lambda row: RouteFactory(organization=row.delivery.organization))
    route_name = factory.LazyAttribute(lambda row: row.route.name if row.route else "a route of then")


class AttemptFactory(DjangoModelFactory[Attempt]):
    class Meta:
        model = Attempt

    delivery = factory.SubFactory(DeliveryFactory)
    number = factory.Sequence(lambda number: number + 1)
    started_at = factory.LazyFunction(timezone.now)
    milliseconds = 42
    outcome = Outcome.SUCCEEDED
    status_code = 200


class AlertFactory(Owned):
    """Open, and told once."""

    class Meta:
        model = Alert

    cause = Cause.SYSTEM_CRITICAL
    system = factory.SubFactory(SystemFactory, organization=beside("organization"))
    text = factory.Sequence(lambda number: f"System {number} is critical.")
    told_at = factory.LazyFunction(timezone.now)
    count = 1
    tellings = 1


class BreakerChangeFactory(Owned):
    class Meta:
        model = BreakerChange

    system = factory.SubFactory(SystemFactory, organization=beside("organization"))
    breaker_key = factory.LazyAttribute(lambda row: str(row.system.id))
    from_state = "closed"
    to_state = "open"
    reason = "Too many calls failed."
