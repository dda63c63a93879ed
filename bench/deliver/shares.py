"""Each channel's time on an idle copy, from the event's commit to the provider's acceptance."""

import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import closing
from datetime import date, timedelta
from typing import Any

import psycopg2
from rich.console import Console

from bench.deliver.urgent import Times
from bench.errors import BenchError
from wedsync.demo.outside import Outside
from wedsync.demo.own_copy import OwnCopy
from wedsync.runner.embedded import EmbeddedPostgres
from wedsync.runner.supervision.processes import wait_until

ASKED_MS = {"whatsapp": 1000, "slack": 800, "email": 1200, "system": 1000}
"""For systems no number is promised; WhatsApp's is used."""
PAUSE = 1.1
"""Seconds; Slack accepts one message per second for each of its webhooks."""
_OPEN = (
    "SELECT (SELECT count(*) FROM live_channelevent WHERE routing = 'pending') + (SELECT count(*) FROM "
    "integrations_delivery WHERE state IN ('pending', 'in_flight', 'scheduled'))"
)
_TAKEN = """
SELECT delivery.channel, attempt.number,
  extract(epoch FROM attempt.started_at - event.received_at) * 1000 + attempt.milliseconds
FROM integrations_attempt attempt JOIN integrations_delivery delivery ON delivery.id = attempt.delivery_id
JOIN live_channelevent event ON event.id = delivery.event_id
WHERE attempt.outcome = 'succeeded' AND delivery.state = 'succeeded'
"""


def measure(copy: OwnCopy, facts: dict[str, Any], console: Console, events: int) -> dict[str, Any]:
    """Publish events of each kind one after the other; ``p50`` and ``p99`` of each channel in milliseconds."""
    outside = Outside(facts)
    with closing(psycopg2.connect(EmbeddedPostgres(copy.home).url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:

            def number(query: str) -> int:
                cursor.execute(query)
                row = cursor.fetchone()
                return int(row[0]) if row else 0

            for turn in range(events):
                for play in (_timeline, _capacity, _form):
                    play(outside, turn)
                    if not wait_until(lambda: number(_OPEN) == 0, 30, pause=0.05):
                        raise BenchError("The copy did not deliver an event's messages within 30 s.")
                    time.sleep(PAUSE)
            cursor.execute(_TAKEN)
            found: dict[str, list[float]] = defaultdict(list)
            for channel, _attempt, milliseconds in cursor.fetchall():
                found[channel].append(float(milliseconds))
    shares: dict[str, Any] = {}
    for channel, asked in ASKED_MS.items():
        times = Times.of(found[channel])
        shares[channel] = {"events": times.probes, "p50": times.p50, "p99": times.p99, "asked": asked}
        console.print(f"[dim]{channel:<9} p50 {times.p50:6.0f} ms  p99 {times.p99:6.0f} ms  of {times.probes}[/]")
    return shares


Play = Callable[[Outside, int], object]


def _timeline(outside: Outside, turn: int) -> None:
    """To the CRM, and to people on WhatsApp."""
    body = {"ceremony_time": f"{13 + turn % 5}:{10 + turn % 40}"}
    outside.api("PATCH", f"/api/weddings/{outside.facts['wedding']['id']}/", body)


def _capacity(outside: Outside, turn: int) -> None:
    """To people on WhatsApp, and to a team on Slack."""
    outside.venue_webhook("capacity.updated", {"max_capacity": 181 + turn, "previous": 180 + turn})


def _form(outside: Outside, turn: int) -> None:
    """A new date: by email, on Slack and WhatsApp, and to the CRM."""
    day = date.fromisoformat(outside.facts["wedding"]["date"]) + timedelta(days=7 + turn)
    answers = {"new_date": day.isoformat(), "reason": "Storm warning"}
    outside.api("POST", f"/api/forms/{outside.facts['form']['id']}/responses/", {"answers": answers})
