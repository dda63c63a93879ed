"""What is asked of all web processes, and what each answers. Questions go to their group of the channel layer."""

from dataclasses import dataclass
from typing import Any

WHO, END = "listeners.who", "listeners.end"
MOST_LISTED = 500  # clients of one process
MOST_CHANNELS = 10  # of one client
KEPT_SECONDS = 30


@dataclass(frozen=True)
class Listener:
    """One open socket or stream.

    Attributes:
        who: the name of the key, member or contact. ``kind``: which of these.
        since: Unix seconds.
        channels: some of those that it follows; ``followed``: how many they are.
    """

    id: str
    who: str
    kind: str
    transport: str
    address: str
    since: float
    channels: list[str]
    followed: int
    events: int

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "Listener":
        """As a process has answered."""
        return cls(**content)


def answers_key(question: str) -> str:
    """The list in Redis that collects the answers to one question."""
    return f"wedsync:listeners:{question}"
