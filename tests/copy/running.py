"""A whole copy of WedSync, started by its runner, and everything that an outsider can do with it."""

import itertools
import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests
from websockets.sync.client import ClientConnection, connect

from tests.polling import until
from tests.servers import SHORT_TIMES
from tests.vendor import signature
from tests.wedsync.runner.copies import ROOT, Runner
from wedsync.runner.environment import unconfigured

START_SECONDS = 100.0
COUPLE = {"+12025550101", "+12025550102"}
UNDER_WAY = ("pending", "in_flight")
CALLERS = {"+12025550103", "+12025550104", "+12025550105"}
"""The suppliers without quiet hours."""


class RunningCopy(Runner):
    """The product under its runner, with short times, as people start it: ``python -m wedsync.runner``."""

    @property
    def printed(self) -> Path:
        return self.home.with_name("printed by the runner.txt")

    def start(self) -> "RunningCopy":
        own = {"WEDSYNC_HOME": str(self.home), "PORT": str(self.port)}
        with self.printed.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "wedsync.runner"],
                cwd=ROOT,
                env={**unconfigured(os.environ), **SHORT_TIMES, **own},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                text=True,
            )
        return self

    def up(self) -> "RunningCopy":
        process = self.start().process
        assert process
        until(lambda: self.is_up(process.pid) or process.poll() is not None, START_SECONDS, what="the start")
        assert process.poll() is None, self.printed.read_text()
        self.facts: dict[str, Any] = json.loads((self.home / "demo.json").read_text())
        return self

    def finish(self, timeout: float = 40) -> str:
        assert self.process
        self.process.wait(timeout)
        return self.printed.read_text()

    def kill(self, name: str) -> int:
        """SIGKILL one process, as the kernel does when memory runs out; the pid that it had."""
        pid = self.recorded()[name]
        os.kill(pid, signal.SIGKILL)
        return pid


class Outsider:
    """A vendor, a client of the API, and the one who looks at the sandbox. Closed when the test ends."""

    _numbers = itertools.count(1)

    def __init__(self, copy: RunningCopy) -> None:
        self.copy = copy
        self.facts = copy.facts
        self.session = requests.Session()
        self.session.trust_env = False
        self._cursor = self.sandbox("GET", "messages")["cursor"]

    def api(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {self.facts['api_token']}"}
        answer = self.session.request(method, self.facts["base_url"] + path, json=body, headers=headers, timeout=10)
        assert answer.ok, answer.text
        return answer.json()

    def change_wedding(self, **fields: str) -> None:
        self.api("PATCH", f"/api/weddings/{self.facts['wedding']['id']}/", fields)

    def move_ceremony(self) -> str:
        """To a time that no test has used yet."""
        number = next(self._numbers)
        moved = f"{10 + number // 60:02}:{number % 60:02}"
        self.change_wedding(ceremony_time=moved)
        return moved

    def capacity_event(self) -> dict[str, Any]:
        """VenueMaster's envelope, with a capacity that no test has used yet."""
        return {
            "id": f"vm_{uuid.uuid4().hex}",
            "eventType": "capacity.updated",
            "timestamp": datetime.now(UTC).isoformat(),
            "payload": {
                "event_id": self.facts["connections"]["venue_master"]["booking_id"],
                "max_capacity": 300 + next(self._numbers),
            },
        }

    def post_webhook(self, event: dict[str, Any]) -> requests.Response:
        connection = self.facts["connections"]["venue_master"]
        body = json.dumps(event).encode()
        headers = {"Content-Type": "application/json", "X-Venue-Signature": signature(body, connection["secret"])}
        return self.session.post(connection["url"], data=body, headers=headers, timeout=10)

    def sandbox(self, method: str, what: str, body: Any = None, **query: Any) -> Any:
        url = f"{self.facts['sandbox_url']}/_/{what}"
        answer = self.session.request(method, url, json=body, params=query, timeout=10)
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    def messages(self, service: str, text: str) -> list[dict[str, Any]]:
        """What a service took since this outsider came, where it holds a text."""
        shown = self.sandbox("GET", "messages", service=service, since=self._cursor)["messages"]
        return [message for message in shown if text in message["text"]]

    def arrived(self, service: str, text: str, to: set[str], seconds: float = 5.0) -> list[dict[str, Any]]:
        """Wait until a text has reached all of these."""

        def look() -> list[dict[str, Any]]:
            found = self.messages(service, text)
            return found if to <= {message["to"] for message in found} else []

        return until(look, seconds, what=f"{text!r} at {service} for {sorted(to)}")

    def calls(self, service: str) -> list[dict[str, Any]]:
        """Every call that a service saw since it was last told to count anew."""
        shown: list[dict[str, Any]] = self.sandbox("GET", "requests", service=service)["requests"]
        return sorted(shown, key=lambda call: call["time"])

    def settle(self) -> None:
        """Wait until nothing that others have caused is on its way."""
        until(lambda: not any(map(self._deliveries, UNDER_WAY)), 30, what="the end of what is on its way")

    def _deliveries(self, state: str) -> Any:
        return self.api("GET", f"/api/integrations/deliveries/?state={state}")["results"]

    def fault(self, service: str, mode: str, **how: Any) -> None:
        self.sandbox("DELETE", "requests", service=service)
        self.sandbox("POST", "faults", {"service": service, "mode": mode, **how})

    @contextmanager
    def socket(self) -> Iterator["Socket"]:
        """A live socket, with a ticket of its own."""
        ticket = self.api("POST", "/api/channels/tickets/", {})["ticket"]
        url = f"{self.facts['ws_url']}?ticket={ticket}"
        with connect(url, subprotocols=["wedsync.v1"], proxy=None) as connection:  # type: ignore[list-item]
            yield Socket(connection)


class Socket:
    """A client of ``wedsync.v1``."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    def subscribe(self, channel: str, **more: Any) -> dict[str, Any]:
        self.connection.send(json.dumps({"id": 1, "op": "subscribe", "channel": channel, **more}))
        answer: dict[str, Any] = json.loads(self.connection.recv(5))
        return answer

    def frame(self, seconds: float = 5.0) -> dict[str, Any]:
        frame: dict[str, Any] = json.loads(self.connection.recv(seconds))
        assert frame["op"] == "event"
        return frame
