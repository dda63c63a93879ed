"""Validates what people type: names of time zones and languages, and patterns of live channels."""

import re
from zoneinfo import available_timezones

from babel import Locale, UnknownLocaleError
from django.core.exceptions import ValidationError

from wedsync.wire import channel_names

_NO_PLACES = frozenset({"Factory", "localtime"})  # names of no place on earth
_TAG = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2})?", re.ASCII)


def validate_time_zone(name: str) -> None:
    """Accept only IANA names, for instance ``Europe/Vienna``."""
    if name not in available_timezones() or name in _NO_PLACES:
        raise ValidationError(f"“{name}” is not a time zone. Write an IANA name such as Europe/Vienna.")


def validate_locale(tag: str) -> None:
    """Accept a language tag, with a region or without: ``de``, ``de-AT``."""
    try:
        known = bool(_TAG.fullmatch(tag)) and bool(Locale.parse(tag, sep="-"))
    except (UnknownLocaleError, ValueError):
        known = False
    if not known:
        raise ValidationError(f"“{tag}” is not a language. Write its code, with a region or without: de, or de-AT.")


def validate_channel_pattern(pattern: str) -> None:
    """Accept patterns such as ``couple:*:*``."""
    try:
        channel_names.check_pattern(pattern)
    except ValueError as error:
        raise ValidationError(f"“{pattern}” is not a pattern: {error}.") from error


def time_zones() -> list[str]:
    """The names to choose from: places and UTC; older names and abbreviations are accepted but not offered."""
    return ["UTC", *sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc/"))]
