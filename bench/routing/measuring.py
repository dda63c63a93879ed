"""``python -m bench.routing.measuring ROUNDS COUNT...``: makes the routes and measures times; prints JSON.

Each number of routes has its own organization, so that the tables are equally full for all. In each round every number
has its turn, so that other load on the machine affects all.
"""

import json
import os
import statistics
import sys
import time
from typing import TYPE_CHECKING, Any

import django

if TYPE_CHECKING:
    from integrations.routing.matching import EventFacts

MATCHING = 5
KINDS = ("spread", "alike")


def make(kind: str, count: int) -> "EventFacts":
    """Make an organization with ``count`` routes, and an event that five of them match."""
    from integrations.models import Route, RouteCondition
    from integrations.routing.matching import EventFacts
    from wedsync.ids import new_id
    from wedsync.live.models import ChannelEvent
    from wedsync.weddings.models import Organization

    organization = Organization.objects.create(name=f"{kind} {count}", slug=f"{kind}-{count}")
    supplier = new_id()
    rows = []
    for number in range(count):
        pattern, types = ("supplier:dashboard:{supplierId}", ["venue.*"])
        if kind == "spread" and number >= MATCHING:
            pattern, types = _other(number)
        rows.append(
            Route(organization=organization, name=f"route {number}", channel_pattern=pattern, event_types=types,
                  target=Route.Target.LIVE, live_channel="wall:display:1")
        )  # fmt: skip
    Route.objects.bulk_create(rows, batch_size=2000)
    halls = ["south"] * MATCHING + [f"hall {number}" for number in range(MATCHING, count)]
    conditions = [
        RouteCondition(route=route, path="extra.hall", operator="equals", value=hall)
        for route, hall in zip(rows, halls, strict=True)
    ]
    RouteCondition.objects.bulk_create(conditions, batch_size=2000)
    event = ChannelEvent(
        organization=organization, type="venue.capacity_updated", payload={"capacity": 180, "extra": {"hall": "south"}},
        occurred_at=_now(), received_at=_now(), source="webhook", priority="high",
    )  # fmt: skip
    names = [f"couple:dashboard:{new_id()}", *(f"supplier:dashboard:{new_id()}" for _ in range(4))]
    return EventFacts.of(event, [*names, f"supplier:dashboard:{supplier}"])


def _other(number: int) -> tuple[str, list[str]]:
    """The pattern and types of a route that does not match: for another supplier, wedding or form, or other types."""
    from wedsync.ids import new_id

    return (
        (f"supplier:dashboard:{new_id()}", []),
        (f"couple:dashboard:{new_id()}", ["venue.capacity_updated"]),
        ("supplier:dashboard:{supplierId}", ["booking.*", "*.cancelled"]),
        ("form:response:{formId}", []),
        ("*:dashboard:*", ["gallery.ready"]),
    )[number % 5]


def _now() -> Any:
    from django.utils import timezone

    return timezone.now()


def measure(rounds: int, counts: list[int]) -> list[dict[str, Any]]:
    """The times of each kind and number of routes, in milliseconds."""
    from django.db import connection

    from integrations.routing.matching import candidates, match

    subjects = {(kind, count): make(kind, count) for kind in KINDS for count in counts}
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    times: dict[tuple[str, int], list[float]] = {key: [] for key in subjects}
    seen: dict[tuple[str, int], tuple[int, int]] = {}
    for number in range(rounds + 1):
        for key, subject in subjects.items():
            if key[0] == "alike" and number > max(10, rounds // 20):
                continue  # slow, and as reliable with fewer rounds
            started = time.perf_counter()
            found = list(candidates(subject))
            matching = [route for route in found if match(route, subject)]
            if number:  # the first round warms up
                times[key].append((time.perf_counter() - started) * 1000)
            seen[key] = (len(found), len(matching))
    return [
        {
            "kind": kind,
            "routes": count,
            "candidates": seen[kind, count][0],
            "matching": seen[kind, count][1],
            "median_ms": round(statistics.median(measured), 3),
            "p90_ms": round(statistics.quantiles(measured, n=10)[-1], 3),
        }
        for (kind, count), measured in times.items()
    ]


def main() -> None:
    """Read the arguments, measure, print."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wedsync.settings")
    django.setup()
    rounds, *counts = map(int, sys.argv[1:])
    json.dump(measure(rounds, counts), sys.stdout)


if __name__ == "__main__":
    main()
