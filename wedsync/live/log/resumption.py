"""Where a client that reconnects resumes: pure, for every transport."""

from dataclasses import dataclass
from typing import Any

from wedsync.live.log.reader import Position


@dataclass(frozen=True)
class Start:
    """Where a client wants to resume.

    Attributes:
        after: the last sequence that it has; ``None``: it begins with the next event.
        epoch: the channel's epoch when it got that.
        must_recover: it would rather be refused than miss anything.
    """

    after: int | None = None
    epoch: object = None
    must_recover: bool = False


@dataclass(frozen=True)
class Resumed:
    """Where it resumes.

    Attributes:
        cursor: it is sent everything after this sequence.
        where: the channel's position.
        recovered: whether that is everything since its own cursor; ``None`` if it had none.
    """

    cursor: int
    where: Position
    recovered: bool | None

    @property
    def answer(self) -> dict[str, Any]:
        """What the client is told."""
        told: dict[str, Any] = {"epoch": self.where.epochs[0], "last": self.where.last}
        if self.recovered is not None:
            told["recovered"] = self.recovered
        if self.recovered is False:
            told["oldest"] = self.where.oldest
        return told


def resume(start: Start, where: Position) -> Resumed:
    """Resume after the client's cursor if the log still has everything after it, else from now on."""
    if start.after is None:
        return Resumed(where.last, where, None)
    is_kept = where.oldest - 1 <= start.after <= where.last
    if is_kept and start.epoch in (None, *where.epochs):
        return Resumed(start.after, where, recovered=True)
    return Resumed(where.last, where, recovered=False)
