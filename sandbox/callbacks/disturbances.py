"""What goes wrong on the way back to the product: statuses that arrive late, twice, out of order, or not at all."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


def _with_reports(service: str) -> str:
    if service not in ("whatsapp", "resend", "slack", "twilio"):
        raise ValueError("must be whatsapp, resend, slack or twilio")
    return service


class Disturbance(BaseModel):
    """How the callbacks of a service are disturbed, as the control API takes it.

    `delay_seconds` delays every status, `double` sends each callback twice with the same bytes and id, `disorder` sends
    a message's statuses in reverse once the last of them has occurred. `drop` names statuses that are never sent.
    `ratio` is the share of messages affected. Slack has no statuses: there, button presses are delayed and doubled.
    Each callback keeps the time at which its status occurred, even when it is late.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    service: Annotated[str, AfterValidator(_with_reports)]
    delay_seconds: float = Field(default=0.0, ge=0, le=600)
    double: bool = False
    disorder: bool = False
    drop: str | list[str] = Field(default_factory=list)
    ratio: float = Field(default=1.0, gt=0, le=1)

    @property
    def dropped(self) -> list[str]:
        """The statuses that are never sent."""
        return [self.drop] if isinstance(self.drop, str) else self.drop


NONE = Disturbance(service="whatsapp")
"""Everything is sent once, on time, in order."""


class Disturbances:
    """The active disturbances, one per service."""

    def __init__(self, roll: Callable[[], float] = random.random) -> None:
        self._roll = roll
        self._active: dict[str, Disturbance] = {}

    def put(self, disturbance: Disturbance) -> None:
        """Activate it instead of the service's previous one."""
        self._active[disturbance.service] = disturbance

    def clear(self, service: str | None = None) -> None:
        """End the disturbance of one service, or all of them. Messages accepted earlier keep theirs."""
        for slug in list(self._active):
            if service in {None, slug}:
                del self._active[slug]

    def draw(self, service: str) -> Disturbance:
        """The disturbance of a service's next message."""
        active = self._active.get(service, NONE)
        return active if active.ratio >= 1 or self._roll() < active.ratio else NONE

    def listing(self) -> list[dict[str, object]]:
        """The active disturbances, for the control API."""
        return [active.model_dump(mode="json") for active in self._active.values()]


Moment = tuple[float, Literal["happens", "is told"], int]
"""Seconds after acceptance, the kind of moment, and the number of the step."""


def timetable(steps: Sequence[tuple[float, str]], disturbance: Disturbance) -> list[Moment]:
    """When each step of a message happens and when the product is told of it, in order of time.

    Args:
        steps: seconds after acceptance and the status, in order.
        disturbance: that of the message.
    """
    happening: list[Moment] = [(after, "happens", number) for number, (after, _) in enumerate(steps)]
    told = [number for number, (_, status) in enumerate(steps) if status not in disturbance.dropped]
    if disturbance.disorder:
        last = max((after for after, _ in steps), default=0.0)
        telling = [(last + disturbance.delay_seconds, number) for number in reversed(told)]
    else:
        telling = [(steps[number][0] + disturbance.delay_seconds, number) for number in told]
    # A stable sort: at the same moment, what happens comes before what is told, and reversed statuses stay reversed.
    return sorted([*happening, *((after, "is told", number) for after, number in telling)], key=lambda each: each[0])
