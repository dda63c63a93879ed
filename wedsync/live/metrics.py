"""What the live channels of this process carry, for Prometheus; each web process answers for itself."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

registry = CollectorRegistry()

clients: Final = Gauge("wedsync_live_clients", "Open sockets and streams", ["transport"], registry=registry)
subscriptions: Final = Gauge("wedsync_live_subscriptions", "Channels followed, by all clients", registry=registry)
ended: Final = Counter(
    "wedsync_live_clients_ended", "Sockets and streams that ended", ["transport", "code"], registry=registry
)
refused: Final = Counter("wedsync_live_clients_refused", "Clients over a quota", ["quota"], registry=registry)
events_written: Final = Counter("wedsync_live_events_written", "Events written to clients", registry=registry)
bytes_written: Final = Counter(
    "wedsync_live_bytes_written", "Bytes written to clients that have ended", ["transport"], registry=registry
)
fan_out_seconds: Final = Histogram(
    "wedsync_live_fan_out_seconds",
    "From the hint after a commit until its events are written to all clients here",
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
    registry=registry,
)
hints_lost: Final = Counter(
    "wedsync_live_hints_lost",
    "Channels with new entries that no hint had named",
    registry=registry,
)
replayed_events: Final = Histogram(
    "wedsync_live_replayed_events",
    "How many events a client had missed when it came back",
    buckets=(1, 10, 100, 1_000, 10_000, 100_000),
    registry=registry,
)
