"""The story step by step, from outside: webhooks go in, and the sandbox shows what arrives."""

import json
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import requests

from bench.errors import BenchError
from bench.ground import output_of
from wedsync.demo.outside import Message, Outside
from wedsync.demo.own_copy import OwnCopy

PATIENCE = 20.0
"""Seconds after which a message that has not arrived counts as missing."""
TEAM = "#wedding-coordination"


@dataclass
class Measured:
    """One line of the report. ``seconds``: ``None`` if it did not happen."""

    name: str
    seconds: float | None
    most: float
    least: float = 0.0
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        """Whether it happened in time."""
        return self.seconds is not None and self.least <= self.seconds <= self.most


class Story:
    """Plays the story on one copy. ``waiting``: how many ordinary messages wait meanwhile."""

    def __init__(self, copy: OwnCopy, facts: dict[str, Any], waiting: int) -> None:
        self._copy = copy
        self._outside = Outside(facts)
        self._waiting = waiting
        self._sandbox = facts["sandbox_url"]
        self._heard: list[Message] = []
        self._phones: list[str] = []
        self._mails: list[str] = []
        self.called: list[dict[str, str]] = []

    def seed(self, *words: str) -> dict[str, Any]:
        """Have a process of the product make rows; returns its output.

        Raises:
            BenchError: it failed.
        """
        printed = output_of("-m", "bench.emergency.seed", *words, environment=self._copy.environment())
        found: dict[str, Any] = json.loads(printed.splitlines()[-1])
        return found

    def prepare(self) -> None:
        """Make twenty people and the backlog.

        Raises:
            BenchError: it failed.
        """
        people = self.seed("people")
        self._phones, self._mails = people["phones"], people["emails"]
        self.called = people["called"]
        self.seed("backlog", str(self._waiting))

    def all_channels(self) -> tuple[list[Measured], str]:
        """An emergency by webhook reaches everyone on each channel; returns times, and its unique description."""
        mark, began = self._report()
        wanted = {("whatsapp", phone) for phone in self._phones} | {("resend", mail) for mail in self._mails}
        wanted.add(("slack", TEAM))
        arrived = self._arrivals(wanted, mark, began)
        left = self.seed("waiting")["waiting"]
        facts = {"recipients": len(self._phones), "waiting_still": left}
        return [self._slowest(service, wanted, arrived, facts) for service in ("whatsapp", "slack", "resend")], mark

    def second_contact(self, mark: str, began: float, pace: float) -> Measured:
        """Nobody acknowledges: measure when the second in the call order is told again."""
        second = self.called[1]
        at = self._wait(
            lambda: next(
                (each.at for each in self._about(mark) if each.to == second["phone"] and each.at > began + 5), None
            ),
            began + pace + PATIENCE,
        )
        return Measured("second contact, unacknowledged", at - began if at else None, pace + 5, least=pace)

    def acknowledged(self, mark: str, pace: float) -> Measured:
        """The second presses the quick reply; then no message comes for longer than the plan's pace."""
        phone = self.called[1]["phone"]
        self._press(phone, mark)
        pressed = time.time()
        state = self._wait(lambda: self._incident_state() == "acknowledged" or None, pressed + PATIENCE)
        after = time.time() - pressed
        before = len(self._about(mark))
        time.sleep(pace + 5)
        self._listen()
        more = len(self._about(mark)) - before
        return Measured(
            "acknowledged by quick reply, plan stopped",
            after if state and not more else None,
            5,
            facts={"sent_after": more},
        )

    def with_open_breaker(self) -> list[Measured]:
        """A second emergency while WhatsApp's breaker is open: the other two channels are used immediately."""
        self._resolve()
        self.seed("trip")
        try:
            mark, began = self._report()
            wanted = {("resend", mail) for mail in self._mails} | {("slack", TEAM)}
            arrived = self._arrivals(wanted, mark, began)
            facts = {"whatsapps": sum(each.service == "whatsapp" for each in self._about(mark))}
        finally:
            self.seed("untrip")
        return [
            self._slowest(service, wanted, arrived, facts, name=f"{service}, breaker of WhatsApp open")
            for service in ("slack", "resend")
        ]

    def traced(self, mark: str) -> Measured:
        """Everything is in the trace that the API shows."""
        incident = self._incidents()[-1]
        event = incident["event"]
        rows = self._get("/api/notifications/", event=event)["results"]
        lines = [line for row in rows for line in self._get(f"/api/notifications/{row['id']}/")["trace"]]
        words = {line["what"].lower() for line in lines}
        missing = {"routed", "sent", "status", "escalated", "acknowledged"} - words
        facts = {"notifications": len(rows), "lines": len(lines), "missing": sorted(missing)}
        return Measured("all of it in the trace", None if missing else 0.0, 1, facts=facts)

    def _report(self) -> tuple[str, float]:
        mark = f"The hall is dark {uuid.uuid4().hex[:8]}"
        began = time.time()
        payload = {
            "kind": "power_outage",
            "description": mark,
            "reported_by": "Tom Berger",
            "contact_phone": "+12025550104",
        }
        self._outside.venue_webhook("emergency.reported", payload)
        return mark, began

    def _arrivals(self, wanted: set[tuple[str, str]], mark: str, began: float) -> Mapping[tuple[str, str], float]:
        found: dict[tuple[str, str], float] = {}
        while wanted - set(found) and time.time() < began + PATIENCE:
            self._listen()
            for each in self._about(mark):
                found.setdefault((each.service, each.to), each.at - began)
            time.sleep(0.05)
        return found

    @staticmethod
    def _slowest(
        service: str,
        wanted: set[tuple[str, str]],
        arrived: Mapping[tuple[str, str], float],
        facts: dict[str, Any],
        name: str = "",
    ) -> Measured:
        mine = [key for key in wanted if key[0] == service]
        times = [arrived[key] for key in mine if key in arrived]
        slowest = max(times) if len(times) == len(mine) else None
        return Measured(
            name or f"{service}, everyone", slowest, 5, facts={"arrived": f"{len(times)} of {len(mine)}", **facts}
        )

    def _listen(self) -> None:
        self._heard += self._outside.new_messages()

    def _about(self, mark: str) -> list[Message]:
        return [each for each in self._heard if mark in each.text]

    def _wait(self, found: Callable[[], Any], until: float) -> Any:
        while time.time() < until:
            self._listen()
            if (value := found()) is not None:
                return value
            time.sleep(0.1)
        return None

    def _press(self, phone: str, mark: str) -> None:
        """Press the quick reply of the newest message on that phone, as a person does on the sandbox's page."""
        shown = self._ask("GET", "messages", service="whatsapp")["messages"]
        mine = [each for each in shown if each["to"] == phone and mark in each["text"]]
        if not mine:
            raise BenchError(f"{phone} has no message to answer.")
        self._ask("POST", "replies", {"service": "whatsapp", "message": mine[-1]["id"], "button": 0})

    def _ask(self, method: str, what: str, body: Any = None, **query: str) -> Any:
        answer = requests.request(method, f"{self._sandbox}/_/{what}", json=body, params=query, timeout=30)
        if not answer.ok:
            raise BenchError(f"The sandbox refuses {method} {what}: {answer.text[:300]}")
        return answer.json()

    def _incidents(self) -> Sequence[dict[str, Any]]:
        found: list[dict[str, Any]] = self._get("/api/incidents/")["results"]
        return sorted(found, key=lambda incident: str(incident["opened_at"]))

    def _incident_state(self) -> str:
        return str(self._incidents()[-1]["state"])

    def _resolve(self) -> None:
        self._outside.api("POST", f"/api/incidents/{self._incidents()[-1]['id']}/resolve/", {})

    def _get(self, path: str, **query: str) -> Any:
        headers = {"Authorization": f"Bearer {self._outside.facts['api_token']}"}
        answer = requests.get(self._outside.facts["base_url"] + path, params=query, headers=headers, timeout=30)
        if not answer.ok:
            raise BenchError(f"GET {path} was answered {answer.status_code}: {answer.text[:300]}")
        return answer.json()
