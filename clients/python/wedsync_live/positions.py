"""A client's position in each channel: pure, so that every event is shown once and in order."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from .messages import Position


class GapError(Exception):
    """An event came before those that precede it; the log has them."""


class Positions:
    """The positions of some channels, by name."""

    def __init__(self, channels: Iterable[str], live: Mapping[str, Any] | None = None) -> None:
        self.channels = tuple(dict.fromkeys(channels))
        self.at: dict[str, Position] = {}
        self.put(live or {})

    def put(self, live: Mapping[str, Any]) -> list[str]:
        """Take the positions of a loaded state; returns the channels that must be followed from there anew."""
        anew = []
        for name in self.channels:
            if name not in live:
                continue
            given, known = Position.of(live[name]), self.at.get(name)
            if known is None or known.epoch != given.epoch or given.last < known.last:
                anew.append(name)
            self.at[name] = given
        return anew

    def starts(self, names: Collection[str]) -> dict[str, dict[str, Any]]:
        """What to ask for, to go on from here."""
        found = ((name, self.at.get(name)) for name in names)
        return {name: {"after": at.last, "epoch": at.epoch} if at else {} for name, at in found}

    def begins(self, name: str, answer: Mapping[str, Any]) -> bool:
        """Take the answer to a subscription; returns whether the state must be loaded (again)."""
        known = self.at.get(name)
        goes_on = known is not None and answer.get("recovered") is not False
        self.at[name] = Position(known.last if known and goes_on else answer["last"], answer["epoch"])
        return not goes_on

    def takes(self, name: str, sequence: int) -> bool:
        """Whether an event is the next one; ``False``: it was shown before, or its channel is not followed.

        Raises:
            GapError: it is a later one.
        """
        known = self.at.get(name)
        if known is None or sequence <= known.last:
            return False
        if sequence > known.last + 1:
            raise GapError(name)
        self.at[name] = Position(sequence, known.epoch)
        return True
