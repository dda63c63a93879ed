"""The product's rows that are delivered. Only this module chooses the kind of system, the event and the fields.

Each delivery is the only one of its system, wedding and type, so that none waits for an older one. Imports the
product's models: see :mod:`bench.deliver.inside`.
"""

import base64
import itertools
import secrets
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from integrations.deliveries import ordering
from integrations.models import Delivery, ExternalReference, System
from integrations.registry.senders import SYSTEM_CHANNEL
from integrations.system_channel.sender import SystemSender
from wedsync.live.fan_out import hints
from wedsync.live.models import ChannelEvent
from wedsync.queues import Priority
from wedsync.weddings.models import Organization, Wedding

KIND = System.Kind.WEBHOOK
EVENT_TYPE = "payment.received"
PAYLOAD = {"amount": "1200.50", "currency": "EUR", "reference": "2027-118", "extra": {}}
RATE = "rate_per_second"
"""The field that limits how often a system is called."""
SLOW = 0.2
"""Calls per second to a limited system."""
URGENT_TARGET = "Urgent"
SLUG = "bench-deliver"
BATCH = 500
HINT_SECONDS = 60.0


def make_world(url: str, targets: int, weddings: int) -> None:
    """Make this number of systems, and one more for urgent deliveries; each of them knows each wedding.

    Arguments:
        url: of the sink.
    """
    organization = Organization.objects.create(name="Bench Deliveries", slug=SLUG)
    names = [*map(str, range(targets)), URGENT_TARGET]
    systems = System.objects.bulk_create(new_system(organization, name, f"{url}/t/{name.lower()}") for name in names)
    made = Wedding.objects.bulk_create(
        Wedding(
            organization=organization,
            couple=f"Anna & Ben {number}",
            date=date(2027, 5, 1) + timedelta(days=number),
            venue_name="Seehof am Attersee",
            timezone="Europe/Vienna",
        )
        for number in range(weddings)
    )
    references = (
        ExternalReference(organization=organization, system=system, external_id=f"BK-{number}", wedding=wedding)
        for number, wedding in enumerate(made)
        for system in systems
    )
    ExternalReference.objects.bulk_create(references, batch_size=2000)


def new_system(organization: Organization, name: str, url: str) -> System:
    """A system with sealed credentials, not yet saved."""
    system = System(organization=organization, name=name, kind=KIND, base_url=url)
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
    system.seal_credentials({"access_token": secrets.token_urlsafe(24), "signing_secret": secret})
    return system


def _targets() -> QuerySet[System]:
    return System.objects.filter(organization__slug=SLUG).exclude(name=URGENT_TARGET)


def weddings_known() -> list[Wedding]:
    """All weddings of the world, oldest first."""
    return list(Wedding.objects.filter(organization__slug=SLUG).order_by("id"))


def limit_targets(*, limited: bool) -> bool:
    """Limit the rate of all systems but the urgent one, or lift it; false if the product has no such limit."""
    if RATE not in {field.name for field in System._meta.get_fields()}:  # noqa: SLF001
        return False
    _targets().update(**{RATE: SLOW if limited else None})
    return True


def fill(count: int, priorities: list[str]) -> None:
    """Make due deliveries, spread over all systems but the urgent one and over the priorities; then hint them.

    All rows are committed before the first hint is sent, and all hints have been sent at the end.
    """
    systems = list(_targets().order_by("id"))
    weddings = weddings_known()
    events = [new_event(wedding, priorities[0]) for wedding in weddings[: -(-count // len(systems))]]
    pairs = itertools.islice(itertools.product(events, systems), count)
    deliveries = [
        new_delivery(event, system, priority)
        for (event, system), priority in zip(pairs, itertools.cycle(priorities), strict=False)
    ]
    with transaction.atomic():
        ChannelEvent.objects.bulk_create(events, batch_size=1000)
        Delivery.objects.bulk_create(deliveries, batch_size=1000)
    hint(deliveries)


def hint(deliveries: Iterable[Delivery]) -> None:
    """Hint committed deliveries to workers; all hints have been sent at the end."""
    for batch in _batches(deliveries):
        for delivery in batch:
            hints.delivery_due(delivery.id, delivery.priority, delivery.system_id)
        hints.flush(HINT_SECONDS)


def _batches(deliveries: Iterable[Delivery]) -> Iterator[list[Delivery]]:
    """Batches small enough that no hint is dropped."""
    waiting = iter(deliveries)
    while batch := list(itertools.islice(waiting, BATCH)):
        yield batch


def new_event(wedding: Wedding, priority: str) -> ChannelEvent:
    """A routed event, not yet saved."""
    return ChannelEvent(
        organization_id=wedding.organization_id,
        wedding=wedding,
        type=EVENT_TYPE,
        payload=PAYLOAD,
        occurred_at=timezone.now(),
        source=ChannelEvent.Source.API,
        priority=priority,
        routing=ChannelEvent.Routing.ROUTED,
        routed_at=timezone.now(),
        effect=ChannelEvent.Effect.APPLIED,
    )


def new_delivery(event: ChannelEvent, system: System, priority: str) -> Delivery:
    """A due delivery, not yet saved."""
    order_key, sets = ordering.order_of(event)
    return Delivery(
        organization_id=event.organization_id,
        event=event,
        system=system,
        channel=SYSTEM_CHANNEL,
        target=str(system.id),
        dedupe_key=Delivery.key(event.id, "system", str(system.id), SYSTEM_CHANNEL),
        priority=priority,
        expires_at=timezone.now() + timedelta(days=1),
        order_key=order_key,
        sets=sets,
    )


def urgent_makers(count: int) -> Iterator[Delivery]:
    """Make urgent deliveries one by one: each is committed, but not yet hinted, when it is yielded."""
    system = System.objects.get(organization__slug=SLUG, name=URGENT_TARGET)
    weddings = weddings_known()
    for _, wedding in zip(range(count), itertools.cycle(weddings), strict=False):
        event = new_event(wedding, Priority.URGENT)
        delivery = new_delivery(event, system, Priority.URGENT)
        with transaction.atomic():
            event.save(force_insert=True)
            delivery.save(force_insert=True)
        yield delivery


def sample() -> dict[str, Any]:
    """A call as it is sent: ``body``, ``headers`` and ``path``, for the baseline to send the same."""
    system = _targets().order_by("id")[0]
    event = new_event(weddings_known()[0], Priority.NORMAL)
    delivery = new_delivery(event, system, Priority.NORMAL)
    sender = SystemSender()
    call = sender.prepare(delivery, sender.render(delivery))
    path = call.url.removeprefix(system.base_url)
    return {"body": call.body.decode(), "headers": call.headers, "path": path}
