"""Plays a story: carries it out, waits until everything has arrived or time is up, and judges the result."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from wedsync.demo.listening import Frame, Listener
from wedsync.demo.outside import Message, Outside
from wedsync.demo.results import Row
from wedsync.demo.stories import EMAIL, LIVE, SLACK, SYSTEM, WHATSAPP, Expected, Story, channel_names

SECONDS = 5.0
"""Within this time everything of high and urgent priority must have arrived."""
SECONDS_WITH_FAULTS = 45.0
"""The same with a fault: retries come after 1, 2, 4, 8 s, and an open breaker admits the first call after 30 s."""
GRACE = 10.0  # seconds after the deadline in which late events are still shown
"""How many seconds beyond the deadline to wait, so that a late arrival counts as late and not as lost."""

_SERVICES = {WHATSAPP: "whatsapp", SLACK: "slack", EMAIL: "resend", SYSTEM: "studio_cloud"}
_SYSTEM_ADDRESS = "/bookings/timeline"


@dataclass
class Played:
    """A played story: when it began (Unix time), everything seen of it, and whether it is complete."""

    story: Story
    began: float
    event_id: str | None
    messages: list[Message] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)
    complete: bool = False


@dataclass(frozen=True)
class Fate:
    """The outcome of one expected arrival."""

    priority: str
    state: str
    reason: str
    attempts: int


MISSING = Fate("", "missing", "", 0)


@dataclass(frozen=True)
class Delivery:
    """A row of ``demo_report``: what outsiders cannot see."""

    id: str
    event: str
    event_type: str
    channel: str
    target: str
    priority: str
    state: str
    reason: str
    attempts: int

    @property
    def fate(self) -> Fate:
        """The outcome by this row."""
        return Fate(self.priority, self.state, self.reason, self.attempts)


class Player:
    """Plays stories one after another.

    Arguments:
        people: as ``demo_report`` lists them.
        seconds: the time from a story's beginning within which everything must arrive.
    """

    def __init__(self, outside: Outside, listener: Listener, people: Sequence[dict[str, Any]], seconds: float) -> None:
        self._outside = outside
        self._listener = listener
        self._people = {person["name"]: person for person in people}
        self._channels = channel_names(outside)
        self._seconds = seconds
        self._frames_before = 0

    def play(self, story: Story) -> Played:
        """Play a story; returns once everything visible has arrived, or some time after the deadline."""
        began = time.time()
        played = Played(story, began, story.begin(self._outside))
        waiting = [each for each in story.expected if not self._may_be_held(each)]
        while waiting and time.time() < began + self._seconds + GRACE:
            time.sleep(0.02)
            played.messages += self._outside.new_messages()
            played.frames = self._listener.frames()[self._frames_before :]
            waiting = [each for each in waiting if self._seen(each, played) is None]
        self._frames_before = len(self._listener.frames())
        played.complete = not waiting
        return played

    def judge(self, played: Played, deliveries: Sequence[Delivery]) -> list[Row]:
        """A row for each thing that had to arrive."""
        return [self._judge(each, played, deliveries) for each in played.story.expected]

    def _may_be_held(self, expected: Expected) -> bool:
        person = self._people.get(expected.target)
        return bool(person and person["quiet"] and expected.priority != "urgent")

    def _judge(self, expected: Expected, played: Played, deliveries: Sequence[Delivery]) -> Row:
        seen = self._seen(expected, played)
        fate = _fate(expected, seen, deliveries)
        milliseconds = round((seen.at - played.began) * 1000) if seen else None
        problem = self._problem(expected, fate, milliseconds)
        status = f"{fate.state}: {fate.reason}" if fate.reason else fate.state
        return Row(
            story=played.story.name,
            step=expected.step + (", in quiet hours" if self._passes_quiet_hours(expected) else ""),
            target=expected.target,
            channel=expected.channel,
            priority=fate.priority,
            status=status,
            attempts=fate.attempts,
            milliseconds=milliseconds,
            ok=not problem,
            problem=problem,
        )

    def _passes_quiet_hours(self, expected: Expected) -> bool:
        person = self._people.get(expected.target)
        return bool(person and person["quiet"] and expected.priority == "urgent")

    def _problem(self, expected: Expected, fate: Fate, milliseconds: int | None) -> str:
        if self._may_be_held(expected) and (fate.state, fate.reason) == ("held", "quiet_hours"):
            return ""
        if milliseconds is None:
            return "did not arrive"
        if milliseconds > self._seconds * 1000:
            return f"later than {self._seconds:g} s"
        if fate.priority != expected.priority:
            return f"priority is not {expected.priority}"
        return "" if fate.state in {"succeeded", "shown"} else f"arrived, but is {fate.state}"

    def _seen(self, expected: Expected, played: Played) -> Message | Frame | None:
        if expected.channel == LIVE:
            name = self._channels[expected.target]
            frames = (frame for frame in played.frames if frame.channel == name)
            return next((frame for frame in frames if _is_frame(frame, expected, played)), None)
        service, to = _SERVICES[expected.channel], self._address(expected)
        letters = (message for message in played.messages if (message.service, message.to) == (service, to))
        return next((message for message in letters if _says(message, expected)), None)

    def _address(self, expected: Expected) -> str:
        if expected.channel == SYSTEM:
            return _SYSTEM_ADDRESS
        person = self._people.get(expected.target)
        return str(person[expected.channel]) if person else expected.target


def _is_frame(frame: Frame, expected: Expected, played: Played) -> bool:
    """Whether a frame is the expected one. A story may cause several events; the answer names the first of them."""
    if frame.event["type"] != expected.event_type or not all(part in frame.text for part in expected.holds):
        return False
    story_makes_several = len({each.event_type for each in played.story.expected}) > 1
    is_of_the_answer = not played.event_id or frame.event["id"] == played.event_id
    return story_makes_several or is_of_the_answer


def _says(message: Message, expected: Expected) -> bool:
    if not all(part in message.text for part in expected.holds):
        return False
    return not expected.html or ("<html" in message.html and all(part in message.html for part in expected.holds))


def _fate(expected: Expected, seen: Message | Frame | None, deliveries: Sequence[Delivery]) -> Fate:
    """The outcome of what was seen: a frame has it itself; for a message, its delivery's row has it."""
    if isinstance(seen, Frame):
        return Fate(seen.event["priority"], "shown", "", 1)
    delivery = _delivery(expected, seen, deliveries)
    return delivery.fate if delivery else MISSING


def _delivery(expected: Expected, seen: Message | None, deliveries: Sequence[Delivery]) -> Delivery | None:
    """The row of what was seen: by the delivery's id where the message carries it, else by type, channel and target."""
    key = seen.key if seen else ""
    wanted = (expected.event_type, expected.channel, expected.target)
    for delivery in deliveries:
        if (delivery.event_type, delivery.channel, delivery.target) == wanted and key in {"", delivery.id}:
            return delivery
    return None
