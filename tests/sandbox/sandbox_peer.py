"""A sandbox process, and the requests that a well-behaved client sends to it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from sandbox.signatures import standard_webhooks_signature

REPOSITORY = Path(__file__).parents[2]
TOKEN = "EAAG-token"
PHONE = "106540352242922"
SLACK_PATH = "T01/B02/hush-hush"
RESEND_KEY = "re_key"
TWILIO_SERVICE = "MG" + "0b" * 16
TWILIO_SID, TWILIO_TOKEN, TWILIO_NUMBER = "AC" + "0a" * 16, "0123456789abcdef" * 2, "+12025550199"
VENDOR_TOKEN = "vendor-token"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def configuration() -> dict[str, Any]:
    """One organization with every service."""
    vendor = {"access_token": VENDOR_TOKEN, "signing_secret": SECRET}
    return {
        "whatsapp": {"accounts": [_whatsapp_number()]},
        "slack": {
            "webhooks": [{"path": SLACK_PATH, "channel": "#wedding-coordination"}],
            "signing_secret": "slack-secret",
            "callback_url": None,
            "burst": 400,
        },
        "resend": {
            "accounts": [{"api_key": RESEND_KEY, "domains": ["wedsync.example"], "webhook_secret": SECRET}],
            "rate_per_second": 40,
        },
        "twilio": {"accounts": [_twilio_account()]},
        "web_push": {},
        "studio_cloud": vendor,
        "iris_works": vendor,
        "venue_master": vendor,
        "party_rental": {"access_token": VENDOR_TOKEN},
    }


def _whatsapp_number() -> dict[str, Any]:
    return {
        "phone_number_id": PHONE,
        "access_token": TOKEN,
        "display_phone_number": "+15550783881",
        "app_secret": "app-secret",
        "verify_token": "verify",
        "callback_url": None,
        "templates": _whatsapp_templates(),
    }


def _whatsapp_templates() -> list[dict[str, Any]]:
    """Approved ones with and without a button, one that Meta holds, and one for each state that sends nothing."""
    unusable = ("PENDING", "REJECTED", "PAUSED", "DISABLED")
    return [
        {
            "name": "timeline_updated",
            "language": "en",
            "body": "Hello {{1}}, the ceremony is at {{2}}.",
            "buttons": [{"type": "quick_reply", "text": "Got it"}],
        },
        {"name": "named", "language": "en", "body": "Hello {{who}}."},
        {"name": "is_held", "language": "en", "body": "Hello.", "message_status": "held_for_quality_assessment"},
        *({"name": f"is_{each.lower()}", "language": "en", "body": "Hello.", "status": each} for each in unusable),
    ]


def _twilio_account() -> dict[str, Any]:
    return {
        "account_sid": TWILIO_SID,
        "auth_token": TWILIO_TOKEN,
        "numbers": [TWILIO_NUMBER],
        "messaging_services": ["MG1", TWILIO_SERVICE],
        "api_keys": {"SK1": "key-secret"},
    }


class Peer:
    """A running sandbox."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.process = subprocess.Popen(
            [sys.executable, "-m", "sandbox", "--port", "0", "--home", str(home)],
            cwd=REPOSITORY,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stderr is not None
        self.log: list[dict[str, Any]] = [json.loads(self.process.stderr.readline())]
        self.stray_lines: list[str] = []
        """What is on stderr without being a log line, such as a traceback."""
        self._reader = threading.Thread(target=self._drain, daemon=True)
        self._reader.start()
        assert self.log[0]["event"] == "listening", self.log[0]
        self.port = int(self.log[0]["port"])
        self.url = f"http://127.0.0.1:{self.port}"

    def _drain(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            try:
                self.log.append(json.loads(line))
            except ValueError:
                self.stray_lines.append(line)

    def stop(self) -> None:
        """End it as a supervisor does."""
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(timeout=5) == 0
        self._reader.join(timeout=5)
        assert self.process.stderr is not None
        self.process.stderr.close()
        assert self.stray_lines == [], "".join(self.stray_lines)
        assert [line for line in self.log if line["event"] == "error"] == []

    def get(self, path: str, **options: Any) -> requests.Response:
        """GET a path of the sandbox."""
        return requests.get(self.url + path, timeout=10, **options)

    def forget(self) -> None:
        """Give the next test an empty world."""
        for thing in ("faults", "callbacks", "windows", "messages", "requests", "records", "tally"):
            requests.delete(f"{self.url}/_/{thing}", timeout=10).raise_for_status()

    def messages(self, service: str) -> list[dict[str, Any]]:
        """The messages of a service, oldest first."""
        found: list[dict[str, Any]] = self.get("/_/messages", params={"service": service}).json()["messages"]
        return found

    def request_log(self, service: str) -> dict[str, Any]:
        """Counts and rows of a service's requests."""
        answer = self.get("/_/requests", params={"service": service}).json()
        return {"counts": answer["counts"].get(service, {}), "rows": answer["requests"]}

    def fault(self, service: str, mode: str, **options: Any) -> None:
        """Set a fault."""
        body = {"service": service, "mode": mode} | options
        answer = requests.post(f"{self.url}/_/faults", json=body, timeout=10)
        assert answer.status_code == 201, answer.text

    def whatsapp(self, body: Any, token: str | None = TOKEN, phone: str = PHONE) -> requests.Response:
        """POST a WhatsApp message."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return requests.post(f"{self.url}/whatsapp/v26.0/{phone}/messages", json=body, headers=headers, timeout=10)

    def slack(self, body: Any, path: str = SLACK_PATH) -> requests.Response:
        """POST to a Slack webhook."""
        return requests.post(f"{self.url}/slack/services/{path}", json=body, timeout=10)

    def resend(self, body: Any, **headers: Any) -> requests.Response:
        """POST an email; header names are written with underscores."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return requests.post(
            f"{self.url}/resend/emails",
            json=body,
            headers={"Authorization": f"Bearer {RESEND_KEY}"} | named,
            timeout=10,
        )

    def twilio(self, fields: dict[str, str], login: tuple[str, str] = (TWILIO_SID, TWILIO_TOKEN)) -> requests.Response:
        """POST a text message."""
        url = f"{self.url}/twilio/2010-04-01/Accounts/{TWILIO_SID}/Messages.json"
        return requests.post(url, data=fields, auth=login, timeout=10)

    def browser(self, key: str, name: str = "Anna's phone") -> dict[str, Any]:
        """A browser subscribes to a sender with this public key; returns what its page gets."""
        answer = requests.post(f"{self.url}/_/subscriptions", json={"name": name, "key": key}, timeout=10)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def ends(self, subscription: dict[str, Any]) -> None:
        """A browser's owner withdraws the permission."""
        token = subscription["endpoint"].rpartition("/")[2]
        requests.delete(f"{self.url}/_/subscriptions/{token}", timeout=10).raise_for_status()

    def vendor(
        self, method: str, path: str, body: Any, vendor: str = "studio_cloud", *, timeout: float = 10, **headers: Any
    ) -> requests.Response:
        """Send a signed write to a vendor; `path` begins after the vendor's prefix."""
        raw = json.dumps(body).encode()
        timestamp = str(int(time.time()))
        signed = {
            "Authorization": f"Bearer {VENDOR_TOKEN}",
            "Content-Type": "application/json",
            "webhook-id": "msg_1",
            "webhook-timestamp": timestamp,
            "webhook-signature": standard_webhooks_signature(SECRET, "msg_1", timestamp, raw),
        }
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return requests.request(method, f"{self.url}/{vendor}{path}", data=raw, headers=signed | named, timeout=timeout)


@contextmanager
def running(home: Path) -> Iterator[Peer]:
    """A sandbox for as long as the block lasts."""
    peer = Peer(home)
    try:
        yield peer
    finally:
        if peer.process.poll() is None:
            peer.stop()


def template(
    *texts: str, to: str | None = "+16505551234", name: str = "timeline_updated", **more: Any
) -> dict[str, Any]:
    """A template message with positional body parameters."""
    parameters = [{"type": "text", "text": text} for text in texts]
    return {
        "messaging_product": "whatsapp",
        "to": to,
        "type": "template",
        "template": {
            "name": name,
            "language": {"code": "en"},
            "components": [{"type": "body", "parameters": parameters}],
        },
    } | more


def email(**more: Any) -> dict[str, Any]:
    """A correct email."""
    return {
        "from": "WedSync <hello@wedsync.example>",
        "to": ["anna@couple.example"],
        "subject": "New times",
        "html": "<p>16:00</p>",
        "text": "16:00",
    } | more


TIMELINE = {"booking_id": "BK-7", "changes": [{"field": "ceremony_time", "before": "15:00", "after": "16:00"}]}
