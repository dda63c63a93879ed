"""The metrics for Prometheus, read from rows and Redis, so that every process gives the same answer.

The figures are those of the last health sweep; no scrape counts a table of deliveries (docs/adr/0034).
"""

import threading
import time
from collections.abc import Iterable, Iterator
from typing import Any

from django.db.models import Count, DurationField, ExpressionWrapper, F, Max, Q, Sum
from django.db.models.functions import Now
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from integrations.health.heartbeats import Part
from integrations.models import Alert, HealthReading, Heartbeat, OrganizationReading
from integrations.models.breaker_changes import BreakerState
from integrations.models.health import HealthStatus
from integrations.references.linking import count_unlinked
from wedsync.live.fan_out import hints
from wedsync.queues import Priority

FRESH = 5.0  # seconds for which an answer is reused


class RowsCollector(Collector):
    """Collects from the rows, at most every five seconds, one thread at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: list[Metric] = []
        self._until = 0.0

    def collect(self) -> Iterable[Metric]:
        """The metrics, up to five seconds old."""
        with self._lock:
            if time.monotonic() >= self._until:
                self._found = [*_queues(), *_systems(), *_ages(), *_alerts(), *_heartbeats()]
                self._until = time.monotonic() + FRESH
            return self._found

    def forget(self) -> None:
        """Collect again at the next scrape."""
        self._until = 0.0

    def describe(self) -> Iterable[Metric]:
        """Nothing: registering must not query PostgreSQL."""
        return []


collector = RowsCollector()
registry = CollectorRegistry()
registry.register(collector)


def _queues() -> Iterator[Metric]:
    messages = GaugeMetricFamily("wedsync_queue_messages", "Messages in a Celery queue", labels=["queue"])
    for name, length in (hints.queue_lengths() or {}).items():  # without Redis no figure, instead of a zero
        messages.add_metric([name], length)
    yield messages
    waiting = GaugeMetricFamily("wedsync_deliveries_waiting", "Waiting deliveries by priority", labels=["queue"])
    sums = dict.fromkeys(Priority.values, 0)
    for by_priority in HealthReading.objects.filter(waiting__gt=0).values_list("by_priority", flat=True):
        for name, count in by_priority.items():
            sums[name] += count
    for name, count in sums.items():
        waiting.add_metric([name], count)
    yield waiting


def _systems() -> Iterator[Metric]:
    counts = HealthReading.objects.aggregate(
        held=Sum("held", default=0),
        dead=Sum("dead", default=0),
        attempts=Sum("attempts", default=0),
        successes=Sum("successes", default=0),
    )
    yield GaugeMetricFamily("wedsync_deliveries_held", "Held deliveries", value=counts["held"])
    yield GaugeMetricFamily("wedsync_deliveries_dead_day", "Deliveries that died in 24 hours", value=counts["dead"])
    calls = GaugeMetricFamily("wedsync_attempts_window", "Attempts in the health window", labels=["outcome"])
    calls.add_metric(["succeeded"], counts["successes"])
    calls.add_metric(["failed"], counts["attempts"] - counts["successes"])
    yield calls
    yield _counted("wedsync_systems", "Systems by health", "status", HealthStatus.values)
    yield _counted("wedsync_breakers", "Breakers by state", "breaker", BreakerState.values)


def _counted(name: str, about: str, field: str, values: list[str]) -> Metric:
    family = GaugeMetricFamily(name, about, labels=[field])
    found = dict(HealthReading.objects.values_list(field).annotate(count=Count("*")).order_by())
    for value in values:
        family.add_metric([value], found.get(value, 0))
    return family


def _ages() -> Iterator[Metric]:
    found = OrganizationReading.objects.aggregate(
        due=Max("oldest_due_seconds", default=0.0), unrouted=Max("unrouted_seconds", default=0.0)
    )
    yield GaugeMetricFamily(
        "wedsync_oldest_due_seconds", "Age of the oldest due delivery or unrouted event", value=found["due"]
    )
    yield GaugeMetricFamily(
        "wedsync_oldest_unrouted_seconds", "Age of the oldest unrouted event", value=found["unrouted"]
    )
    unlinked = count_unlinked()
    yield GaugeMetricFamily("wedsync_events_unlinked", "Events waiting for a wedding, at most 10000", value=unlinked)


def _alerts() -> Iterator[Metric]:
    told = CounterMetricFamily("wedsync_alerts_raised", "Alerts sent to staff", labels=["cause"])
    still = GaugeMetricFamily("wedsync_alerts_open", "Open alerts", labels=["cause"])
    rows = (
        Alert.objects.values("cause")
        .order_by()
        .annotate(told=Sum("tellings"), still=Count("id", filter=Q(resolved_at=None)))
    )
    for row in rows:
        told.add_metric([row["cause"]], row["told"])
        still.add_metric([row["cause"]], row["still"])
    yield told
    yield still


def _heartbeats() -> Iterator[Metric]:
    ages = GaugeMetricFamily("wedsync_heartbeat_age_seconds", "Seconds since the last heartbeat", labels=["part"])
    for name, age in Heartbeat.objects.values_list("name", _age("at")):
        ages.add_metric([name], age.total_seconds())
    yield ages
    limits = GaugeMetricFamily(
        "wedsync_heartbeat_limit_seconds", "The age at which a part counts as silent", labels=["part"]
    )
    for part in Part:
        limits.add_metric([part.value], part.longest_silence)
    yield limits


def _age(field: str) -> "ExpressionWrapper[Any]":
    return ExpressionWrapper(Now() - F(field), output_field=DurationField())
