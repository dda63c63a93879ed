"""A whole copy of WedSync, started by its runner, and everything that an outsider can do with it."""

import hashlib
import hmac
import itertools
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests
from websockets.sync.client import ClientConnection, connect

from tests.polling import until
from tests.runner.copies import ROOT, Runner
from tests.servers import SHORT_TIMES
from wedsync.runner.environment import unconfigured

START_SECONDS = 100.0
COUPLE = {"+12025550101", "+12025550102"}
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

    def signed(self, body: bytes, *, secret: str | None = None, at: float | None = None) -> str:
        stamp = int(time.time() if at is None else at)
        key = secret or self.facts["connections"]["venue_master"]["secret"]
        return f"t={stamp},v1={hmac.new(key.encode(), b'%d.%b' % (stamp, body), hashlib.sha256).hexdigest()}"

    def post_webhook(self, event: dict[str, Any], *, signature: str | None = "right") -> requests.Response:
        body = json.dumps(event).encode()
        headers = {"Content-Type": "application/json"}
        if signature is not None:
            headers["X-Venue-Signature"] = self.signed(body) if signature == "right" else signature
        url = self.facts["connections"]["venue_master"]["url"]
        return self.session.post(url, data=body, headers=headers, timeout=10)

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

    def fault(self, service: str, mode: str, **how: Any) -> None:
        self.sandbox("DELETE", "requests", service=service)
        self.sandbox("POST", "faults", {"service": service, "mode": mode, **how})

    def ticket(self, *channels: str) -> str:
        asked = {"channels": list(channels)} if channels else {}
        return str(self.api("POST", "/api/channels/tickets/", asked)["ticket"])

    @contextmanager
    def socket(self, ticket: str | None = None) -> Iterator["Socket"]:
        """A live socket; without a ticket it brings a fresh one."""
        url = f"{self.facts['ws_url']}?ticket={ticket or self.ticket()}"
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
