"""The words of a message: one template per event type and language, the same for every channel.

A template's first line is the headline, every further line a fact, written ``Label: value`` where it has a label.
The channels lay these out; vendor text is escaped there, for the channel that it goes to.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import SandboxedEnvironment

from wedsync.live.models import ChannelEvent
from wedsync.weddings.models import Contact, Wedding

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
    """What is to be said, before a channel lays it out."""

    headline: str
    facts: tuple[Fact, ...]
    couple: str
    wedding_date: str
    venue: str
    recipient: str

    @property
    def text(self) -> str:
        """The whole as plain text."""
        return "\n".join([self.headline, "", *(fact.line for fact in self.facts)])


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


def write(event: ChannelEvent, contact: Contact | None) -> Content:
    """The content of a message about an event, in the contact's language where it has words, else in English."""
    wedding = event.wedding
    if wedding is None:
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
        couple=wedding.couple,
        wedding_date=_day(wedding.date),
        venue=wedding.venue_name,
        recipient=contact.name if contact else "",
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
