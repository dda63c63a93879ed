"""What goes wrong on the way back to the product: statuses that come late, twice, in disorder, or not at all."""

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

    `delay_seconds` holds every status back by so much, `double` sends each callback twice with the same bytes and id,
    `disorder` sends a message's statuses in reverse, after the last of them came to be. `drop` names statuses that are
    never told. `ratio` is the share of the messages it befalls. Slack has no statuses: there the presses of buttons are
    delayed and doubled. Each callback keeps the time at which its status came to be, also when it is late.
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
        """The statuses that are never told."""
        return [self.drop] if isinstance(self.drop, str) else self.drop


NONE = Disturbance(service="whatsapp")
"""Everything comes once, at its time, in order."""


class Disturbances:
    """The disturbances in force, one per service."""

    def __init__(self, roll: Callable[[], float] = random.random) -> None:
        self._roll = roll
        self._active: dict[str, Disturbance] = {}

    def put(self, disturbance: Disturbance) -> None:
        """Set it in place of the service's last one."""
        self._active[disturbance.service] = disturbance

    def clear(self, service: str | None = None) -> None:
        """End that of one service, or all. Messages that were accepted before keep theirs."""
        for slug in list(self._active):
            if service in {None, slug}:
                del self._active[slug]

    def draw(self, service: str) -> Disturbance:
        """What befalls the next message of a service."""
        active = self._active.get(service, NONE)
        return active if active.ratio >= 1 or self._roll() < active.ratio else NONE

    def listing(self) -> list[dict[str, object]]:
        """The disturbances in force, for the control API."""
        return [active.model_dump(mode="json") for active in self._active.values()]


Moment = tuple[float, Literal["happens", "is told"], int]
"""Seconds after acceptance, what, and the number of the step."""


def timetable(steps: Sequence[tuple[float, str]], disturbance: Disturbance) -> list[Moment]:
    """When each step of a message happens and when it is told, in order of time.

    Args:
        steps: seconds after acceptance and the status, in order.
        disturbance: what befalls the message.
    """
    happening: list[Moment] = [(after, "happens", number) for number, (after, _) in enumerate(steps)]
    told = [number for number, (_, status) in enumerate(steps) if status not in disturbance.dropped]
    if disturbance.disorder:
        last = max((after for after, _ in steps), default=0.0)
        telling = [(last + disturbance.delay_seconds, number) for number in reversed(told)]
    else:
        telling = [(steps[number][0] + disturbance.delay_seconds, number) for number in told]
    # Stable: what happens comes before what is told of the same moment, and a disorder stays one.
    return sorted([*happening, *((after, "is told", number) for after, number in telling)], key=lambda each: each[0])
