"""The fields of a wedding that events and people may change, and how their values are read and written."""

import datetime as dt
import re
from collections.abc import Callable
from datetime import date, time
from typing import Protocol
from zoneinfo import ZoneInfo

from wedsync.wire.strict_json import is_storable
from wedsync.wire.written_times import read_clock, read_date

Value = date | time | int | str
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_BETWEEN_WORDS = re.compile(r"[\s_.-]+")


class PlaceAndDay(Protocol):
    """What is needed to read a time with an offset; a wedding has both."""

    @property
    def zone(self) -> ZoneInfo:
        """The venue's time zone."""

    @property
    def date(self) -> dt.date:
        """The day in that zone."""


def _whole_number(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 100_000:
        raise ValueError("must be a whole number from 0 to 100000")
    return value


def _name(value: object) -> str:
    text = value.strip() if isinstance(value, str) else ""
    if not text or len(text) > 200 or not is_storable(text):
        raise ValueError("must be a text of 1 to 200 characters")
    return text


CHANGEABLE: dict[str, Callable[[object], Value]] = {
    "date": read_date,
    "ceremony_time": read_clock,
    "reception_time": read_clock,
    "reception_end": read_clock,
    "venue_name": _name,
    "guest_count": _whole_number,
    "capacity": _whole_number,
}

CLOCKS = frozenset(field for field, read in CHANGEABLE.items() if read is read_clock)


def parse(field: str, value: object, of: PlaceAndDay | None = None) -> Value:
    """A value of a changeable field from its JSON form.

    Arguments:
        of: the wedding, in whose zone a time with an offset is read; ``None``: it is not known yet, and the result only
            shows that the value can be read.

    Raises:
        ValueError: no such field, or a value that it cannot hold; the message continues the field's name.
    """
    if field not in CHANGEABLE:
        raise ValueError(f"is not a field that can be changed; those are {', '.join(CHANGEABLE)}")
    if field in CLOCKS and of is not None:
        return read_clock(value, of.zone, of.date)
    return CHANGEABLE[field](value)


def field_named(name: str) -> str:
    """The wedding's field for a name in another spelling (``ceremonyTime``, ``Ceremony time``).

    A name that matches none of its fields is returned as it is.
    """
    if name in CHANGEABLE:
        return name
    spelled = _HUMP.sub("_", name.strip())
    plain = _BETWEEN_WORDS.sub("_", spelled).casefold().strip("_")
    return plain if plain in CHANGEABLE else name


def as_json(value: Value | None) -> str | int | None:
    """A field's value as in payloads: times as ``16:00``, dates as ``2027-06-20``."""
    if isinstance(value, time):
        return value.strftime("%H:%M")
    return value.isoformat() if isinstance(value, date) else value
