"""The languages that words are shipped in, and which one a reader's locale selects."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from babel import Locale, UnknownLocaleError

FILES = Path(__file__).parent / "files"
DEFAULT_LANGUAGE = "en"
LANGUAGES = tuple(sorted(folder.name for folder in FILES.iterdir() if folder.is_dir()))
# English without a region is written as in Europe: the day before the month, and 24-hour times.
_WITHOUT_A_REGION = {"en": "en_GB"}


@dataclass(frozen=True)
class Reader:
    """How values are written for a reader: the language, the region, and the wedding's time zone."""

    language: str
    locale: Locale
    zone: str = "UTC"

    @property
    def words(self) -> Mapping[str, str]:
        """The fixed words of the layouts."""
        return vocabulary(self.language)["layout"]

    def field(self, name: str) -> str:
        """A field's name, as a person calls it."""
        own = vocabulary(self.language)["fields"].get(name)
        return own or name.replace("_", " ").strip().capitalize()

    def word(self, value: str, kind: str) -> str:
        """A role, kind, status or milestone in words; an unknown one stays as it is."""
        own = vocabulary(self.language)["values"].get(f"{kind}.{value.strip().lower().replace(' ', '_')}")
        return own or value.replace("_", " ") if kind != "type" else value.replace("_", " ").replace(".", " ")


@cache
def vocabulary(language: str) -> Mapping[str, Mapping[str, str]]:
    """The words of a shipped language that are in no template: ``layout``, ``fields`` and ``values``."""
    read: dict[str, dict[str, str]] = json.loads((FILES / language / "words.json").read_text(encoding="utf-8"))
    return read


def reader(locale: str, zone: str, language: str | None = None) -> Reader:
    """The reader for a locale such as ``de-AT``.

    Arguments:
        language: the template's, where it is not the reader's own; the region is then unknown.
    """
    own = locale.replace("_", "-").split("-")[0].lower()
    spoken = language or own
    words = spoken if spoken in LANGUAGES else DEFAULT_LANGUAGE
    tag = locale.replace("-", "_") if own == spoken else spoken
    return Reader(words, _parsed(tag) or _parsed(words) or Locale("en", "GB"), zone)


def chain(locale: str) -> list[str]:
    """Locales in the order in which words are looked for: ``de-AT``, ``de``, ``en``."""
    tag = locale.replace("_", "-")
    language, _, region = tag.partition("-")
    whole = f"{language.lower()}-{region}" if region else language.lower()
    return list(dict.fromkeys([whole, language.lower(), DEFAULT_LANGUAGE]))


@cache
def _parsed(tag: str) -> Locale | None:
    try:
        return Locale.parse(_WITHOUT_A_REGION.get(tag.lower(), tag))
    except (ValueError, UnknownLocaleError, TypeError):
        language: Any = tag.split("_")[0].lower()
        return _parsed(language) if language != tag else None
