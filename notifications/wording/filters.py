"""The filters for messages, which write values the way the reader does. Times are the venue's, with its zone named."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from babel import dates, numbers
from jinja2 import Undefined
from jinja2.runtime import Context

from notifications.wording.languages import Reader
from notifications.wording.letters import tidy
from wedsync.templating.filters import CannotRender, string

reading: ContextVar[Reader] = ContextVar("who reads it")
_LARGEST = Decimal(10) ** 15


@contextmanager
def read_by(reader: Reader) -> Iterator[None]:
    """Write values for this reader."""
    token = reading.set(reader)
    try:
        yield
    finally:
        reading.reset(token)


def _missing(value: Any) -> bool:
    if isinstance(value, Undefined):
        str(value)  # a strict one raises
        return True
    return value is None


def day(value: Any) -> str:
    """A date in full: Saturday, 19 June 2027."""
    return "" if _missing(value) else dates.format_date(_day(value), "full", reading.get().locale)


def _day(value: Any) -> date:
    if isinstance(value, datetime):
        return value.astimezone(ZoneInfo(reading.get().zone)).date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        raise CannotRender(f"“{str(value)[:40]}” is not a date") from None


def clock(value: Any) -> str:
    """A time of day at the venue; the message must name the zone elsewhere."""
    if _missing(value):
        return ""
    try:
        found = value if isinstance(value, time) else time.fromisoformat(str(value))
    except ValueError:
        return string(value)  # a vendor's own words, such as “noon”
    return str(dates.format_time(found, "short", locale=reading.get().locale))


def moment(value: Any) -> str:
    """An instant as day and time at the venue, with the zone: Saturday, 19 June 2027, 15:00 (Europe/Vienna)."""
    if _missing(value):
        return ""
    reader = reading.get()
    try:
        found = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        raise CannotRender(f"“{str(value)[:40]}” is not a date and time") from None
    zone = ZoneInfo(reader.zone)
    local = found.replace(tzinfo=zone) if found.tzinfo is None else found.astimezone(zone)
    at = dates.format_time(local, "short", tzinfo=zone, locale=reader.locale)
    return f"{dates.format_date(local.date(), 'full', reader.locale)}, {at} ({reader.zone})"


def number(value: Any) -> str:
    """A number with the reader's separators."""
    return "" if _missing(value) else str(numbers.format_decimal(_decimal(value), locale=reading.get().locale))


def percent(value: Any) -> str:
    """A number out of 100, as a percentage."""
    return "" if _missing(value) else numbers.format_percent(_decimal(value) / 100, locale=reading.get().locale)


def money(value: Any, currency: Any) -> str:
    """An amount in a currency: €1,120.50 or 1.120,50 €. It is not rounded."""
    if _missing(value) or _missing(currency):
        return "" if _missing(value) else number(value)
    code, locale = str(currency)[:3].upper(), reading.get().locale
    return numbers.format_currency(_decimal(value), code, locale=locale, decimal_quantization=False)


def _decimal(value: Any) -> Decimal:
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        raise CannotRender(f"“{str(value)[:40]}” is not a number") from None
    if not found.is_finite() or abs(found) >= _LARGEST:
        raise CannotRender("a number is too large")
    return found


def plural(value: Any, **forms: str) -> str:
    """The form that the language uses for a number, which replaces ``{n}``: one="{n} guest", other="{n} guests"."""
    if "other" not in forms or set(forms) - {"zero", "one", "two", "few", "many", "other"}:
        raise CannotRender("plural needs other=…, and may have zero, one, two, few and many")
    if _missing(value):
        return ""
    found = _decimal(value)
    chosen = forms.get(reading.get().locale.plural_form(found), forms["other"])
    return string(chosen).replace("{n}", number(found))


def label(value: Any) -> str:
    """A field's name in the reader's language."""
    return "" if _missing(value) else reading.get().field(string(value))


def word(value: Any, kind: str = "") -> str:
    """A role, kind, status, milestone, cause or type in the reader's language; an unknown one stays as it is."""
    return "" if _missing(value) else reading.get().word(string(value), kind)


def of_field(value: Any, name: Any) -> str:
    """A field's value, written as the time, date, number or text that the field holds."""
    if _missing(value):
        return ""
    name = string(name)
    if name.endswith(("_time", "_end", "_start")):
        return clock(value)
    try:
        if name == "date" or name.endswith("_date"):
            return day(value)
        return number(value) if isinstance(value, int | float) and not isinstance(value, bool) else string(value)
    except CannotRender:
        return string(value)


FILTERS: dict[str, Any] = {
    "clock": clock, "day": day, "label": label, "moment": moment, "money": money, "number": number,
    "of_field": of_field, "percent": percent, "plural": plural, "word": word,
}  # fmt: skip


def printed(_context: Context, value: Any) -> str:
    """A value on one line of a message, without hidden or direction-changing characters; nothing is evaluated."""
    if isinstance(value, Undefined):
        return str(value)
    if value is None:
        return ""
    if isinstance(value, bool | float) or not isinstance(value, int | str):
        return tidy(string(value))
    return number(value) if isinstance(value, int) else tidy(value)
