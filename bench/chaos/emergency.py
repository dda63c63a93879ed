"""One emergency, reported through VenueMaster's connection, and its event."""

import json
import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import requests

from bench.chaos.faults import Scene
from bench.envelopes import signature
from bench.errors import BenchError

PATIENCE = 30.0
TAKEN = 202


@dataclass(frozen=True)
class SignedDoor:
    """The URL for a report, its secret, and the wedding that it names."""

    url: str
    secret: str
    names: dict[str, Any]


def plan_door(scene: Scene) -> SignedDoor:
    """The door of the organization under load."""
    facts = scene.plan.facts
    return SignedDoor(
        f"http://127.0.0.1:{scene.copy.port}{facts.path}", facts.secret, {"booking_id": facts.bookings[0]}
    )


def demo_door(scene: Scene) -> SignedDoor:
    """The door of the demo's organization, whose people have WhatsApp, Slack and email."""
    demo = json.loads(scene.copy.home.demo_file.read_text())
    venue = demo["connections"]["venue_master"]
    return SignedDoor(venue["url"], venue["secret"], {"wedding_id": demo["wedding"]["id"]})


class Emergency:
    """A report with a new id."""

    def __init__(self, door: SignedDoor) -> None:
        self._door = door
        number = secrets.token_hex(4)
        report = {"kind": "power", "description": f"The lights went out, report {number}", "reported_by": "Tom Berger"}
        self._body = json.dumps(
            {
                "id": f"vm_emergency_{number}",
                "eventType": "venue.emergency_reported",
                "timestamp": datetime.now(UTC).isoformat(),
                "payload": door.names | report,
            }
        ).encode()

    def report(self) -> str:
        """Send it until it is accepted; returns the event's id.

        Raises:
            BenchError: it was not accepted.
        """
        gives_up, failure = time.monotonic() + PATIENCE, "no answer"
        while time.monotonic() < gives_up:
            signed = signature(self._body, self._door.secret.encode(), int(time.time()))
            headers = {"Content-Type": "application/json", "X-Venue-Signature": signed}
            try:
                answer = requests.post(self._door.url, data=self._body, headers=headers, timeout=10)
            except requests.RequestException as error:
                failure = type(error).__name__
            else:
                if answer.ok:
                    return str(answer.json()["id"])
                failure = f"{answer.status_code} {answer.text[:200]}"
            time.sleep(0.1)
        raise BenchError(f"The emergency was not accepted: {failure}")
