"""The world around a running copy: a client of its API, a vendor with a secret, a reader of the sandbox."""

import hashlib
import hmac
import json
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import requests

TIMEOUT = 10.0
"""The most seconds for a single call."""


class Unexpected(Exception):
    """An answer with which the demo cannot continue."""


@dataclass(frozen=True)
class Message:
    """Something that the sandbox received from WedSync."""

    service: str
    to: str
    text: str
    html: str
    at: float
    key: str

    @classmethod
    def read(cls, shown: dict[str, Any]) -> "Message":
        """Read an entry of ``GET /_/messages``. ``key`` is the delivery's id where the protocol carries it."""
        body = shown["body"] if isinstance(shown["body"], dict) else {}
        return cls(
            service=shown["service"],
            to=shown["to"],
            text=shown["text"],
            html=shown["html"] or "",
            at=datetime.fromisoformat(shown["received_at"]).timestamp(),
            key=body.get("biz_opaque_callback_data") or shown["headers"].get("idempotency-key") or "",
        )


class Outside:
    """What can be done from outside with the facts in ``demo.json``.

    Arguments:
        facts: the content of ``demo.json``.
    """

    def __init__(self, facts: dict[str, Any]) -> None:
        self.facts = facts
        self._session = requests.Session()
        self._session.trust_env = False  # a proxy cannot reach our loopback address
        self._cursor = 0

    def api(self, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Call the API with the demo's key.

        Raises:
            Unexpected: the call was refused.
        """
        key = {"Authorization": f"Bearer {self.facts['api_token']}"}
        url = self.facts["base_url"] + path
        answer = self._session.request(method, url, json=body, headers=key, timeout=TIMEOUT)
        return _content(answer, 200, 201)

    def venue_webhook(self, event_type: str, payload: dict[str, Any]) -> str:
        """Send a webhook as VenueMaster does, signed with its secret; returns the stored event's id.

        Raises:
            Unexpected: the answer was not 202.
        """
        door = self.facts["connections"]["venue_master"]
        envelope = {
            "id": f"vm_{uuid.uuid4().hex}",
            "eventType": event_type,
            "timestamp": datetime.now(UTC).isoformat(timespec="seconds"),
            "payload": {"event_id": door["booking_id"], **payload},
        }
        body = json.dumps(envelope).encode()
        stamp = str(int(time.time()))
        signature = hmac.new(door["secret"].encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
        headers = {"Content-Type": "application/json", "X-Venue-Signature": f"t={stamp},v1={signature}"}
        answer = self._session.post(door["url"], data=body, headers=headers, timeout=TIMEOUT)
        return str(_content(answer, 202)["id"])

    def set_fault(self, fault: dict[str, Any]) -> None:
        """Make a service of the sandbox fail.

        Raises:
            Unexpected: the sandbox does not know this fault.
        """
        answer = self._session.post(f"{self.facts['sandbox_url']}/_/faults", json=fault, timeout=TIMEOUT)
        _content(answer, 201)

    def new_messages(self) -> list[Message]:
        """What arrived at the sandbox since the last call."""
        url = f"{self.facts['sandbox_url']}/_/messages"
        shown = _content(self._session.get(url, params={"since": self._cursor}, timeout=TIMEOUT), 200)
        self._cursor = shown["cursor"]
        return [Message.read(each) for each in shown["messages"]]


def _content(answer: requests.Response, *expected: int) -> dict[str, Any]:
    if answer.status_code not in expected:
        raise Unexpected(f"{answer.request.method} {answer.url} was answered {answer.status_code}: {answer.text[:500]}")
    content: dict[str, Any] = answer.json()
    return content
