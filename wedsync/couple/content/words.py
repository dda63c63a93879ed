"""The words of the page in each shipped language, and how moments are written there."""

import json
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from babel import dates

from notifications.pages.languages import language_of as language_of
from notifications.wording.languages import DEFAULT_LANGUAGE, LANGUAGES, Reader

NAMES = {"de": "Deutsch", "en": "English", "es": "Español", "fr": "Français"}
_FILES = Path(__file__).parent / "words"


@cache
def words_of(language: str) -> Mapping[str, str]:
    """All words of a language; English where it is not shipped."""
    known = language if language in LANGUAGES else DEFAULT_LANGUAGE
    read: dict[str, str] = json.loads((_FILES / f"{known}.json").read_text(encoding="utf-8"))
    return read | {"code": known}


def counted(words: Mapping[str, str], name: str, number: int) -> str:
    """A sentence for a number, such as ``changes_one`` or ``changes_other``."""
    return words[f"{name}_{'one' if number == 1 else 'other'}"].replace("{n}", str(number))


def clock(at: datetime, reader: Reader) -> str:
    """A time of day at the venue."""
    return str(dates.format_time(at, "short", tzinfo=_zone(reader), locale=reader.locale))


def day(of: date, reader: Reader) -> str:
    """A day in full, with its weekday."""
    return str(dates.format_date(of, "full", reader.locale))


def moment(at: datetime, now: datetime, reader: Reader) -> str:
    """A time, with its day if that is not today."""
    zone = _zone(reader)
    if at.astimezone(zone).date() == now.astimezone(zone).date():
        return clock(at, reader)
    return f"{dates.format_date(at.astimezone(zone).date(), 'medium', reader.locale)}, {clock(at, reader)}"


def _zone(reader: Reader) -> ZoneInfo:
    return ZoneInfo(reader.zone)
