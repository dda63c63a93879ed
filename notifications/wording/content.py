"""What a message is about, and its content before a channel lays it out."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from wedsync.live.models import ChannelEvent
from wedsync.weddings.models import Contact, ContactChannel


@dataclass(frozen=True)
class Fact:
    """One line of a message.

    Arguments:
        colon: what its language puts between label and value.
        calls: whether its value is the number to call.
    """

    label: str
    value: str
    colon: str = ": "
    calls: bool = field(default=False, compare=False, kw_only=True)

    @property
    def line(self) -> str:
        """As plain text."""
        return f"{self.label}{self.colon}{self.value}" if self.label else self.value


@dataclass(frozen=True)
class Content:
    """The content of a message before a channel lays it out; the wedding's three fields are empty where it has none.

    Arguments:
        headline: one line of at most 250 characters; in a drill it begins by saying so.
        language: the language of the words, such as ``de``; it may differ from the contact's.
        words: the fixed words of the layouts in that language. docs/staff/templates.md has the keys.
        asks: whether the reader is asked to acknowledge.
        drill: whether it belongs to a drill.
        escalated: whether it is repeated because nobody has acknowledged it; the layout says so.
        link: label and ``https`` URL of the page that the reader is to open.
        couple_page: label and URL of the couple's page, if the reader is one of the couple.
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
    couple_page: tuple[str, str] | None = None

    @property
    def text(self) -> str:
        """The whole as plain text."""
        again = [self.words.get("not_acknowledged", "Nobody has confirmed this yet."), ""] if self.escalated else []
        return "\n".join([self.headline, "", *again, *(fact.line for fact in self.facts)])

    @property
    def about(self) -> str:
        """The wedding in one line; empty for a message about no wedding."""
        return " · ".join(part for part in (self.couple, self.wedding_date, self.venue) if part)


@dataclass(frozen=True)
class Subject:
    """What a message is about, and who reads it.

    Arguments:
        event: its payload is what the message tells; for a collapsed change it spans the first change to the last.
        contact: the reader, whose language and time zone apply; ``None`` for a team or staff.
        channel: the channel that carries it.
        step: the plan's step; above 0 an earlier message was not answered or not delivered.
        escalated: whether an emergency is repeated because nobody has acknowledged it.
        asks: whether the reader is asked to acknowledge.
        drill: whether it belongs to a drill.
        digest: the events that a digest collects, oldest first; empty for an ordinary message.
    """

    event: ChannelEvent
    contact: Contact | None
    channel: ContactChannel
    step: int = 0
    escalated: bool = False
    asks: bool = False
    drill: bool = False
    digest: tuple[ChannelEvent, ...] = ()
