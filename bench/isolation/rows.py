"""The product's rows for these measurements: targets in trouble, a steady beat to others, a backlog. Kinds, events and
fields are those of :mod:`bench.deliver.rows`.
"""

import itertools
import time
from collections.abc import Iterator

from django.db import transaction
from django.utils import timezone

from bench.deliver import rows
from integrations.models import Delivery, System
from integrations.states import State
from wedsync.live.fan_out import hints
from wedsync.live.models import ChannelEvent
from wedsync.queues import Priority
from wedsync.weddings.models import Organization, Wedding

OTHERS = 10
"""Targets that the beat goes to."""
BEAT = (Priority.HIGH, Priority.NORMAL)
PORTION, PAUSE = 50, 0.05
"""Rows of a backlog made together, and seconds between: a thousand per second, as by a busy receiver."""


def add_targets(urls: dict[str, str]) -> dict[str, str]:
    """Make systems, from URLs by name; returns their ids by name."""
    organization = Organization.objects.get(slug=rows.SLUG)
    made = System.objects.bulk_create(rows.new_system(organization, name, url) for name, url in urls.items())
    return {system.name: str(system.id) for system in made}


def beat(count: int) -> Iterator[Delivery]:
    """Make single deliveries to others, in turn: each is committed, but not yet hinted, when it is yielded."""
    others = [System.objects.get(organization__slug=rows.SLUG, name=str(number)) for number in range(OTHERS)]
    turns = zip(itertools.cycle(rows.weddings_known()), itertools.cycle(others), strict=False)
    for number, (wedding, system) in zip(range(count), turns, strict=False):
        priority = BEAT[number // OTHERS % len(BEAT)]
        event = rows.new_event(wedding, priority)
        delivery = rows.new_delivery(event, system, priority)
        with transaction.atomic():
            event.save(force_insert=True)
            delivery.save(force_insert=True)
        yield delivery


def backlog(names: list[str], count: int, *, paced: bool, finished: bool) -> None:
    """Make ``count`` due deliveries of the beat's priorities, for each of these systems in turn, and hint them.

    Arguments:
        paced: in portions with pauses between; otherwise as fast as possible.
        finished: make them as delivered, so that only making them costs anything.
    """
    systems = list(System.objects.filter(organization__slug=rows.SLUG, name__in=names))
    turns = zip(itertools.cycle(systems), itertools.cycle(rows.weddings_known()), strict=False)
    waiting = itertools.islice(turns, count)
    began = time.monotonic()
    for number in itertools.count(1):  # small portions, so that no hint is dropped
        portion = list(itertools.islice(waiting, PORTION if paced else rows.BATCH))
        if not portion:
            break
        _make(portion, finished=finished)
        if not paced:
            hints.flush(rows.HINT_SECONDS)
        else:
            time.sleep(max(0.0, began + number * PAUSE - time.monotonic()))
    hints.flush(rows.HINT_SECONDS)


def _make(portion: list[tuple[System, Wedding]], *, finished: bool) -> None:
    events = [
        rows.new_event(wedding, priority)
        for (_, wedding), priority in zip(portion, itertools.cycle(BEAT), strict=False)
    ]
    deliveries = [
        rows.new_delivery(event, system, Priority(event.priority))
        for event, (system, _) in zip(events, portion, strict=True)
    ]
    for delivery in deliveries if finished else ():
        delivery.state, delivery.finished_at = State.SUCCEEDED, timezone.now()
    with transaction.atomic():
        ChannelEvent.objects.bulk_create(events, batch_size=1000)
        Delivery.objects.bulk_create(deliveries, batch_size=1000)
    for delivery in () if finished else deliveries:
        hints.delivery_due(delivery.id, delivery.priority, delivery.system_id)
