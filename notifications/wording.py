"""The words of a message: one template per event type and language, the same for every channel.

A template's first line is the headline, every further line a fact, written ``Label: value`` where it has a label.
The channels lay these out; vendor text is escaped there, for the channel that it goes to.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import SandboxedEnvironment

from wedsync.live.catalogue import CATALOGUE
from wedsync.live.models import ChannelEvent
from wedsync.weddings.models import Channel, Contact, Wedding

FOLDER = Path(__file__).parent / "wording"
FALLBACK = "fallback"
DEFAULT_LANGUAGE = "en"
_LABELS = {
    "date": "Date",
    "ceremony_time": "Ceremony",
    "reception_time": "Reception",
    "reception_end": "End of the reception",
    "venue_name": "Venue",
}


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
    """What is to be said, before a channel lays it out. What is not about a wedding leaves its three fields empty."""

    headline: str
    facts: tuple[Fact, ...]
    couple: str
    wedding_date: str
    venue: str
    recipient: str
    language: str = DEFAULT_LANGUAGE
    words: Mapping[str, str] = field(default_factory=dict)
    asks: bool = False
    drill: bool = False
    escalated: bool = False
    link: tuple[str, str] | None = None

    @property
    def text(self) -> str:
        """The whole as plain text."""
        return "\n".join([self.headline, "", *(fact.line for fact in self.facts)])

    @property
    def about(self) -> str:
        """The wedding in one line; empty where it is about none."""
        return " · ".join(part for part in (self.couple, self.wedding_date, self.venue) if part)


def _label(field: str) -> str:
    return _LABELS.get(field, field.replace("_", " ").capitalize())


def _day(value: date | str) -> str:
    day = date.fromisoformat(value) if isinstance(value, str) else value
    return f"{day:%A} {day.day} {day:%B %Y}"


def _moment(value: str, wedding: Wedding) -> str:
    local = datetime.fromisoformat(value).astimezone(wedding.zone)
    return f"{_day(local.date())}, {local:%H:%M} ({wedding.timezone})"


_environment = SandboxedEnvironment(
    loader=FileSystemLoader(FOLDER), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
_environment.filters.update(label=_label, day=_day, moment=_moment)


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
    channel: Channel
    step: int = 0
    escalated: bool = False
    asks: bool = False
    drill: bool = False
    digest: tuple[ChannelEvent, ...] = ()


def write(subject: Subject) -> Content:
    """The content of a message about an event, in the contact's language where it has words, else in English."""
    event, contact = subject.event, subject.contact
    wedding = event.wedding
    if wedding is None and not CATALOGUE[event.type].is_about_us:
        raise ValueError("an event without a wedding is told to nobody")
    language = contact.locale.split("-")[0] if contact else DEFAULT_LANGUAGE
    names = [f"{folder}/{name}.txt" for folder in (language, DEFAULT_LANGUAGE) for name in (event.type, FALLBACK)]
    template = _environment.select_template(names)
    payload = _Payload(event.payload)
    lines = [
        " ".join(line.split())
        for line in template.render(payload=payload, wedding=wedding, contact=contact, event=event).splitlines()
    ]
    headline, *rest = [line for line in lines if line]
    return Content(
        headline=headline[:250],
        facts=tuple(_fact(line) for line in rest),
        couple=wedding.couple if wedding else "",
        wedding_date=_day(wedding.date) if wedding else "",
        venue=wedding.venue_name if wedding else "",
        recipient=contact.name if contact else "",
        asks=subject.asks,
        drill=subject.drill,
        escalated=subject.escalated,
    )


def reworded(content: Content, words: Mapping[str, str]) -> Content:
    """The content with a route's own ``headline`` and ``text``, where it has them; one fact for each line."""
    headline = " ".join(words.get("headline", "").split())[:250] or content.headline
    if "text" not in words:
        return replace(content, headline=headline)
    lines = [" ".join(line.split()) for line in words["text"].splitlines()]
    return replace(content, headline=headline, facts=tuple(_fact(line) for line in lines if line))


def _fact(line: str) -> Fact:
    label, separator, value = line.partition(": ")
    return Fact(label, value) if separator and len(label) <= 40 else Fact("", line)


class _Payload(dict[str, Any]):
    """A payload whose optional fields read as nothing; a field that no payload has is still an error."""

    def __missing__(self, key: str) -> None:
        return None
