"""Faults on demand: one per service and path, replaced by the next one, drawn once per request."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Mode(StrEnum):
    """What goes wrong."""

    STATUS = "status"
    LATENCY = "latency"
    HANG = "hang"
    RESET = "reset"
    FLAP = "flap"
    DRIP_HEADERS = "drip_headers"
    DRIP_BODY = "drip_body"
    ENDLESS_BODY = "endless_body"
    SILENT_CLOSE = "silent_close"


class Fault(BaseModel):
    """A fault as the control API takes it.

    `count` is the number of requests for which it lasts, `ratio` the share of them that it hits. `code` is the
    service's own error (WhatsApp 131056, Resend `daily_quota_exceeded`, Slack `channel_is_archived`) and implies its
    status, unless `status` is given; without either it is 503. With `after`, the service processes the request first
    and only the answer is spoiled, so that the caller cannot know the outcome. `path` limits it to paths at or below
    one such as `/webhook/a`; the most specific fault counts. `seconds` is the latency, or for `drip_headers` and
    `drip_body` the pause after each byte.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    service: str
    path: str = Field(default="", pattern=r"^(/[^/?#]+)*$", max_length=500)
    mode: Annotated[Mode, Field(strict=False)]
    status: int | None = Field(default=None, ge=300, le=599)
    seconds: float = Field(default=1.0, ge=0, le=600)
    ratio: float = Field(default=1.0, gt=0, le=1)
    count: int | None = Field(default=None, ge=1)
    retry_after: int | None = Field(default=None, ge=0)
    code: int | str | None = None
    after: bool = False


@dataclass
class _Active:
    fault: Fault
    seen: int = 0
    hits: int = 0


class FaultBoard:
    """The active faults."""

    def __init__(self, roll: Callable[[], float] = random.random) -> None:
        self._roll = roll
        self._active: dict[tuple[str, str], _Active] = {}

    def put(self, fault: Fault) -> None:
        """Activate a fault instead of the previous one of its service and path."""
        self._active[fault.service, fault.path] = _Active(fault)

    def clear(self, service: str | None = None, path: str | None = None) -> None:
        """Remove the faults of one service, of one of its paths, or all."""
        for slug, prefix in list(self._active):
            if service in {None, slug} and path in {None, prefix}:
                del self._active[slug, prefix]

    def draw(self, service: str, path: str = "") -> Fault | None:
        """The fault for the next request to a path of `service`, if any. Counts that request."""
        key = self._narrowest(service, path)
        if key is None:
            return None
        active = self._active[key]
        turn = active.seen
        active.seen += 1
        if active.fault.count is not None and active.seen >= active.fault.count:
            del self._active[key]
        if active.fault.mode is Mode.FLAP and turn % 2 == 1:
            return None
        if active.fault.ratio < 1 and self._roll() >= active.fault.ratio:
            return None
        active.hits += 1
        return active.fault

    def _narrowest(self, service: str, path: str) -> tuple[str, str] | None:
        """From the whole path upwards, so that many faults cost no more than a few."""
        while True:
            if (service, path) in self._active:
                return service, path
            if not path:
                return None
            path = path.rpartition("/")[0]

    def listing(self) -> list[dict[str, object]]:
        """The active faults and what they have done so far, for the control API."""
        return [
            active.fault.model_dump(mode="json") | {"seen": active.seen, "hits": active.hits}
            for active in self._active.values()
        ]
