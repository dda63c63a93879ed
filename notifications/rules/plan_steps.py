"""Plans: on which channels, after how long and to whom a category's events go. Pure except for the settings.

A plan is a list of steps. The first begins immediately. The next begins when the step before can no longer succeed, or,
where it has ``after``, when that many seconds have passed since the step before began; unless that step has already
reached its goal (``until``).

====================  ==================================================================================================
``channels``          words of :class:`ContactChannel`: all together; ``preferred``: the first that the person
                      prefers and can be reached on; ``other``: the next of these that was not yet used. A route that
                      names channels replaces those of the first step
``after``             seconds; if omitted, only when the step before has failed
``until``             ``sent``, ``delivered``, ``read`` or ``acknowledged``
``audience``          ``everyone`` whom the routes name; in an emergency also ``first``, ``second``, ``third`` in the
                      contacts' call order, and ``team``: the coordinator's team
``repeat``            how often the step is taken, at its own pace; 1 if omitted
====================  ==================================================================================================
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, TypeVar

from django.conf import settings

from wedsync.live.event_types.catalogue import Category
from wedsync.weddings.models import ContactChannel

PREFERRED, OTHER = "preferred", "other"
UNPROVEN = ContactChannel.unproven()
CHANNEL_WORDS = (*ContactChannel.values, PREFERRED, OTHER)
W = TypeVar("W", bound=StrEnum)
MOST_STEPS, MOST_REPEATS, LONGEST_AFTER = 10, 20, 7 * 24 * 3600.0


class Until(StrEnum):
    """A step's goal, from less to more."""

    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    ACKNOWLEDGED = "acknowledged"


class Audience(StrEnum):
    """Who a step goes to."""

    EVERYONE = "everyone"
    FIRST = "first"
    SECOND = "second"
    THIRD = "third"
    TEAM = "team"


@dataclass(frozen=True)
class Step:
    """One step. ``after``: seconds after the step before began; ``None``: only when that one has failed."""

    channels: tuple[str, ...]
    after: float | None = None
    until: Until = Until.SENT
    audience: Audience = Audience.EVERYONE
    repeat: int = 1

    def as_json(self) -> dict[str, Any]:
        """As it is stored."""
        return {**asdict(self), "channels": list(self.channels)}


_ORDINARY = (
    Step((PREFERRED,), until=Until.DELIVERED),
    *(Step((OTHER,), until=Until.DELIVERED) for _ in range(2)),
)


def shipped(category: str) -> tuple[Step, ...]:
    """The plan of a category for organizations without their own."""
    if category != Category.EMERGENCIES:
        return _ORDINARY
    pace, asked = settings.ESCALATION_SECONDS, Until.ACKNOWLEDGED
    every_way = tuple(ContactChannel.values)
    return (
        Step(every_way, until=asked),
        Step(every_way, pace, asked, Audience.SECOND),
        Step(every_way, pace, asked, Audience.TEAM, repeat=3),
    )


def unfolded(steps: Sequence[Step]) -> list[Step]:
    """Every step, repeated as often as it is taken."""
    return [step for step in steps for _ in range(step.repeat)]


def kept(rows: Iterable[Mapping[str, Any]]) -> list[Step]:
    """Steps as they were unfolded and stored: each is listed as often as it is taken."""
    return [
        Step(tuple(row["channels"]), row["after"], Until(row["until"]), Audience(row["audience"]), row["repeat"])
        for row in rows
    ]


def parse(steps: Any, category: str) -> tuple[Step, ...]:
    """Read a plan.

    Raises:
        ValueError: it could never run; with the reason as a sentence.
    """
    if not isinstance(steps, list) or not 0 < len(steps) <= MOST_STEPS:
        raise ValueError(f"Write a list of one to {MOST_STEPS} steps.")
    return tuple(_step(number, each, category) for number, each in enumerate(steps, 1))


def _step(number: int, given: Any, category: str) -> Step:
    if not isinstance(given, Mapping):
        raise ValueError(f"Step {number}: write an object.")  # noqa: TRY004 - callers expect one type of error
    if unknown := sorted(set(given) - {"channels", "after", "until", "audience", "repeat"}):
        raise ValueError(f"Step {number}: unknown key {', '.join(unknown)}.")
    step = Step(
        channels=_channels(number, given.get("channels"), category),
        after=_after(number, given.get("after")),
        until=_word(number, "until", Until, given.get("until", Until.SENT)),
        audience=_word(number, "audience", Audience, given.get("audience", Audience.EVERYONE)),
        repeat=_repeat(number, given.get("repeat", 1)),
    )
    of_incident = step.until == Until.ACKNOWLEDGED or step.audience != Audience.EVERYONE
    if of_incident and category != Category.EMERGENCIES:
        raise ValueError(f"Step {number}: only emergencies can be acknowledged or follow the call order.")
    if number == 1 and (step.audience != Audience.EVERYONE or step.repeat != 1):
        raise ValueError("Step 1 must go to everyone, once.")
    return step


def _channels(number: int, given: Any, category: str) -> tuple[str, ...]:
    if not isinstance(given, list) or not given or any(word not in CHANNEL_WORDS for word in given):
        raise ValueError(f"Step {number}: channels must be a list of these: {', '.join(CHANNEL_WORDS)}.")
    if category == Category.EMERGENCIES and set(given) <= UNPROVEN:
        only = ", ".join(ContactChannel(word).label for word in dict.fromkeys(given))
        raise ValueError(f"Step {number}: nothing shows that a message by {only} has arrived. Add another channel.")
    return tuple(given)


def _after(number: int, given: Any) -> float | None:
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 <= given <= LONGEST_AFTER:
        raise ValueError(f"Step {number}: after must be a number of seconds, at most {LONGEST_AFTER:.0f}.")
    return float(given)


def _repeat(number: int, given: Any) -> int:
    if isinstance(given, bool) or not isinstance(given, int) or not 1 <= given <= MOST_REPEATS:
        raise ValueError(f"Step {number}: repeat must be a whole number from 1 to {MOST_REPEATS}.")
    return given


def _word(number: int, name: str, words: type[W], given: Any) -> W:
    if given not in list(words):
        raise ValueError(f"Step {number}: {name} must be one of {', '.join(words)}.")
    return words(given)
