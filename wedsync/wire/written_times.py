"""Reads dates and times as people and systems write them, strictly: an ambiguous one is refused.

Everything that comes in is read here: vendors' payloads and envelopes, our API, form answers, and staff's forms. A
number is never a time: ``20270620`` is neither a date nor a count of seconds.
"""

import re
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import lru_cache
from zoneinfo import ZoneInfo

FIRST_YEAR, LAST_YEAR = 2000, 2200
DATE_WANTED = "must be a date such as 2027-06-20"
CLOCK_WANTED = "must be a time such as 16:00"
MOMENT_WANTED = "must be a time such as 2027-06-20T16:00:00+02:00"
INSTANT_WANTED = "must be ISO 8601 with an offset, for instance 2026-06-19T10:00:00+02:00"

_DATE = r"(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})"
_CLOCK = r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,]\d{1,9})?)?"
_OFFSET = r"(?P<offset>[Zz]|[+-]\d{2}(?::?\d{2})?)"
_ONLY_DATE = re.compile(rf"{_DATE}(?:[T ]00:00(?::00(?:\.0+)?)?)?", re.ASCII)
_ONLY_CLOCK = re.compile(rf"{_CLOCK}(?: ?{_OFFSET})?", re.ASCII)
_HALF_DAY = re.compile(
    r"(?P<hour>\d{1,2})(?::(?P<minute>\d{2})(?::(?P<second>\d{2}))?)?[ \u00a0\u202f]?(?P<half>[AaPp])\.?[Mm]\.?",
    re.ASCII,
)
_MOMENT = re.compile(rf"{_DATE}[Tt ]{_CLOCK} ?{_OFFSET}?", re.ASCII)


def read_date(value: object) -> date:
    """A day: ``2027-06-20``, or the midnight at its beginning, without an offset.

    Raises:
        ValueError: anything else; the message continues the field's name.
    """
    if isinstance(value, date) and not isinstance(value, datetime):
        return _in_range(value)
    found = _ONLY_DATE.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError(DATE_WANTED)
    return _in_range(_day(found, DATE_WANTED))


def read_clock(value: object, zone: ZoneInfo | None = None, day: date | None = None) -> time:
    """A time of day at the venue, to the minute: ``16:00``, ``9:30``, ``4:30 PM``.

    A time with an offset, and an instant, are converted to the venue's zone.

    Arguments:
        zone: the venue's; ``None``: it is not known yet, and the result only shows that the value can be read.
        day: the wedding's, for converting a time with an offset.

    Raises:
        ValueError: anything else; the message continues the field's name.
    """
    if isinstance(value, time) and value.tzinfo is None:
        return value.replace(second=0, microsecond=0)
    text = value.strip() if isinstance(value, str) else ""
    if found := _HALF_DAY.fullmatch(text):
        return _of_half_day(found)
    if found := _ONLY_CLOCK.fullmatch(text):
        clock = _clock(found, CLOCK_WANTED)
        if found["offset"] is None:
            return clock
        return _at_the_venue(datetime.combine(day or date(2027, 6, 20), clock), found["offset"], zone)
    if found := _MOMENT.fullmatch(text):
        written = datetime.combine(_in_range(_day(found, CLOCK_WANTED)), _clock(found, CLOCK_WANTED))
        return _at_the_venue(written, found["offset"], zone)
    raise ValueError(CLOCK_WANTED)


def read_moment(value: object) -> datetime:
    """A day and a time, with or without an offset; without one it is local at the venue.

    Raises:
        ValueError: anything else; the message continues the field's name.
    """
    if isinstance(value, datetime):
        return value
    found = _MOMENT.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError(MOMENT_WANTED)
    year, month, day, hour, minute, second, offset = found.groups(default="0")
    zone = None if offset == "0" else _zone(offset)
    try:
        written = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second), tzinfo=zone)
    except ValueError as error:
        raise ValueError(MOMENT_WANTED) from error
    _in_range(written)
    return written


def read_instant(value: object) -> datetime:
    """A point in time, in UTC: ISO 8601 with an offset, whatever its year.

    Raises:
        ValueError: anything else; the message continues the field's name.
    """
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
        if found is None or found.tzinfo is None:
            raise ValueError(INSTANT_WANTED)
        return found.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(INSTANT_WANTED) from error


def _in_range(found: date) -> date:
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise ValueError(f"must be in the years {FIRST_YEAR} to {LAST_YEAR}")
    return found


def _day(found: re.Match[str], wanted: str) -> date:
    try:
        return date(int(found["year"]), int(found["month"]), int(found["day"]))
    except ValueError as error:
        raise ValueError(wanted) from error


def _clock(found: re.Match[str], wanted: str) -> time:
    try:
        return time(int(found["hour"]), int(found["minute"]), int(found["second"] or 0)).replace(second=0)
    except ValueError as error:
        raise ValueError(wanted) from error


def _of_half_day(found: re.Match[str]) -> time:
    hour, minute = int(found["hour"]), int(found["minute"] or 0)
    if not 1 <= hour <= 12 or minute > 59 or int(found["second"] or 0) > 59:
        raise ValueError(CLOCK_WANTED)
    return time(hour % 12 + (12 if found["half"] in "Pp" else 0), minute)


@lru_cache(maxsize=100)
def _zone(offset: str) -> timezone:
    if offset in "Zz":
        return UTC
    digits = offset[1:].replace(":", "").ljust(4, "0")
    away = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    if int(digits[2:]) > 59 or away >= timedelta(hours=24):
        raise ValueError(MOMENT_WANTED)
    return timezone(-away if offset[0] == "-" else away)


def _at_the_venue(written: datetime, offset: str | None, zone: ZoneInfo | None) -> time:
    """The wall clock's time at the venue."""
    if offset is None:
        return written.time()
    try:
        aware = written.replace(tzinfo=_zone(offset))
    except ValueError as error:
        raise ValueError(CLOCK_WANTED) from error
    return (aware.astimezone(zone) if zone else written).time().replace(second=0, microsecond=0)
