"""What live channels carry, as Prometheus and whoever reads the log see it."""

import json
from typing import Any

import requests
from prometheus_client.parser import text_string_to_metric_families

from tests.live.socket_client import ask, couple, receive, socket
from tests.live.world import World
from tests.polling import until


def measured(world: World, name: str, **labels: str) -> float:
    answer = requests.get(f"{world.product.base_url}/metrics", timeout=5)
    families = text_string_to_metric_families(answer.text)
    samples = [each for family in families for each in family.samples if each.name == name and each.labels == labels]
    return sum(sample.value for sample in samples)


def ends_logged(world: World, after: int) -> list[dict[str, Any]]:
    lines = world.product.log("web")[after:].splitlines()
    return [json.loads(line) for line in lines if '"live_client_ended"' in line]


def test_a_socket_its_events_and_its_end_are_measured_and_logged(world: World) -> None:
    names = {
        "open": ("wedsync_live_clients", {"transport": "socket"}),
        "followed": ("wedsync_live_subscriptions", {}),
        "events": ("wedsync_live_events_written_total", {}),
        "fan-outs": ("wedsync_live_fan_out_seconds_count", {}),
        "missed": ("wedsync_live_replayed_events_sum", {}),
        "ends": ("wedsync_live_clients_ended_total", {"transport": "socket", "code": "1000"}),
    }
    before = {name: measured(world, metric, **labels) for name, (metric, labels) in names.items()}
    begun = len(world.product.log("web"))

    def more(name: str) -> float:
        metric, labels = names[name]
        return measured(world, metric, **labels) - before[name]

    world.capacity(160)
    with socket(world) as client:
        ask(client, op="subscribe", channel=couple(world), after=0)
        receive(client)
        world.capacity(161)
        receive(client)

        assert (more("open"), more("followed")) == (1, 1)
        assert (more("events"), more("missed")) == (2, 1)
        until(lambda: more("fan-outs") >= 1, what="the fan-out being measured")

    until(lambda: more("ends") == 1, what="the end being measured")
    assert (more("open"), more("followed")) == (0, 0)
    (ended,) = until(lambda: ends_logged(world, begun), what="the end being logged")
    assert (ended["code"], ended["events"], ended["transport"]) == (1000, 2, "socket")
    assert ended["who"].startswith("key:")
    assert ended["bytes"] > 500
    assert ended["seconds"] >= 0
