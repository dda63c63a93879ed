"""What a message is about, and what it says before a channel lays it out."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from wedsync.live.models import ChannelEvent
from wedsync.weddings.models import Contact, ContactChannel


@dataclass(frozen=True)
class Fact:
    """One line of a message."""

    label: str
    value: str

    @property
    def line(self) -> str:
        """As plain text."""
        return f"{self.label}: {self.value}" if self.label else self.value


@dataclass(frozen=True)
class Content:
    """What is to be said, before a channel lays it out. What is not about a wedding leaves its three fields empty.

    Arguments:
        headline: one line, at most 250 characters; that of a drill says so itself.
        language: of the words, such as ``de``; also where the contact's own has none.
        words: the fixed words of the layouts in that language. docs/staff/templates.md has the keys.
        asks: whether the reader is asked to acknowledge.
        drill: whether it is an exercise.
        escalated: whether it is told again since nobody has acknowledged it; the layout says so.
        link: label and ``https`` address of what the reader is to open.
    """

    headline: str
    facts: tuple[Fact, ...]
    couple: str
    wedding_date: str
    venue: str
    recipient: str
    language: str = "en"
    words: Mapping[str, str] = field(default_factory=dict)
    asks: bool = False
    drill: bool = False
    escalated: bool = False
    link: tuple[str, str] | None = None

    @property
    def text(self) -> str:
        """The whole as plain text."""
        again = [self.words.get("not_acknowledged", "Nobody has confirmed this yet."), ""] if self.escalated else []
        return "\n".join([self.headline, "", *again, *(fact.line for fact in self.facts)])

    @property
    def about(self) -> str:
        """The wedding in one line; empty where it is about none."""
        return " · ".join(part for part in (self.couple, self.wedding_date, self.venue) if part)


@dataclass(frozen=True)
class Subject:
    """What a message is to be written about, and to whom.

    Arguments:
        event: its payload is what is told; of a collapsed change the whole way from the first to the last.
        contact: whose language and zone count; ``None``: a team or staff.
        channel: how it goes.
        step: of the plan; above 0 it is told to somebody again, since it was not answered or did not arrive.
        escalated: whether an emergency is told again since nobody has acknowledged it.
        asks: whether the reader is asked to acknowledge.
        drill: whether it is an exercise.
        digest: the events that one message gathers, oldest first; empty for an ordinary message.
    """

    event: ChannelEvent
    contact: Contact | None
    channel: ContactChannel
    step: int = 0
    escalated: bool = False
    asks: bool = False
    drill: bool = False
    digest: tuple[ChannelEvent, ...] = ()
