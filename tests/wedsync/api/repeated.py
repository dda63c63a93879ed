"""POSTs with an ``Idempotency-Key``."""

from __future__ import annotations

from typing import Any

from tests.wedsync.api.conftest import Api

BODY = {"name": "VenueMaster", "kind": "venue_master", "base_url": "https://venue.example"}


def make(api: Api, key: str = "one", body: Any = BODY, path: str = "systems/") -> Any:
    return api.send("post", path, body, Idempotency_Key=key)


def problem(answer: Any) -> tuple[int, str]:
    assert answer["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["type"].removeprefix("/problems/")
