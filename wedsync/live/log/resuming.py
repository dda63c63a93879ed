"""Where a client that returns goes on: pure, for every transport."""

from dataclasses import dataclass
from typing import Any

from wedsync.live.log.reader import Position


@dataclass(frozen=True)
class Start:
    """Where a client wants to go on: after a sequence of an epoch; from now on if ``after`` is ``None``."""

    after: int | None = None
    epoch: object = None


@dataclass(frozen=True)
class Resumed:
    """Where it goes on: after ``cursor``. ``recovered``: everything since its own cursor follows."""

    cursor: int
    where: Position
    recovered: bool

    @property
    def answer(self) -> dict[str, Any]:
        """What the client is told."""
        told: dict[str, Any] = {"epoch": self.where.epochs[0], "last": self.where.last}
        return told if self.recovered else {**told, "recovered": False}


def resume(start: Start, where: Position) -> Resumed:
    """Go on after the client's cursor if the log still has everything after it, else from now on."""
    if start.after is None:
        return Resumed(where.last, where, recovered=True)
    if start.after <= where.last and start.epoch in (None, *where.epochs):
        return Resumed(start.after, where, recovered=True)
    return Resumed(where.last, where, recovered=False)
