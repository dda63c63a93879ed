"""What a client hears: events, states, and errors."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


@dataclass(frozen=True)
class Position:
    """The last sequence of a channel that is known, and the channel's epoch."""

    last: int
    epoch: str | None = None

    @classmethod
    def of(cls, given: "Position | Mapping[str, Any]") -> "Position":
        """Read what answers of the API carry under ``live``."""
        return given if isinstance(given, Position) else cls(int(given["last"]), given.get("epoch"))


@dataclass(frozen=True)
class Event:
    """One event on one channel. ``content``: everything that was told of it."""

    channel: str
    sequence: int
    content: Mapping[str, Any]

    @property
    def id(self) -> str:
        """The event's id, the same on each of its channels."""
        return str(self.content["id"])

    @property
    def type(self) -> str:
        """Such as ``gallery.ready``."""
        return str(self.content["type"])

    @property
    def priority(self) -> str:
        """``low``, ``normal``, ``high`` or ``urgent``."""
        return str(self.content["priority"])

    @property
    def occurred_at(self) -> str:
        """As ISO 8601."""
        return str(self.content["occurred_at"])

    @property
    def wedding_id(self) -> str | None:
        """``None`` where no wedding was found."""
        found: str | None = self.content["wedding_id"]
        return found

    @property
    def payload(self) -> Mapping[str, Any]:
        """What happened, in the fields of its type."""
        found: Mapping[str, Any] = self.content["payload"]
        return found


class StateName(StrEnum):
    """How the connection is doing."""

    CONNECTING = "connecting"
    LIVE = "live"
    WAITING = "waiting"
    ENDED = "ended"


@dataclass(frozen=True)
class State:
    """A change of the connection's state. ``seconds``: until it is tried again."""

    name: StateName
    code: int | None = None
    why: str = ""
    seconds: float | None = None


class LiveError(Exception):
    """Everything that a client raises."""


class Ended(LiveError):
    """The server will not let this client in again."""

    def __init__(self, code: int | None, why: str) -> None:
        super().__init__(f"{why or 'the connection has ended for good'} ({code})" if code else why)
        self.code, self.why = code, why


class Refused(LiveError):
    """A channel that cannot be followed, or whose missed events are gone (``unrecoverable``)."""

    def __init__(self, channel: str, code: str, message: str) -> None:
        super().__init__(f"{channel}: {message} ({code})")
        self.channel, self.code, self.message = channel, code, message
