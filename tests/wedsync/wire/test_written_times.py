"""Dates and times as people and systems write them."""

from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from wedsync.wire.written_times import read_clock, read_date, read_instant, read_moment

VIENNA = ZoneInfo("Europe/Vienna")
KIRITIMATI = ZoneInfo("Pacific/Kiritimati")
DAY = date(2027, 6, 20)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("16:00", time(16)),
        ("9:30", time(9, 30)),
        ("09:30:59", time(9, 30)),
        ("09:30:59.999", time(9, 30)),
        (" 16:00 ", time(16)),
        ("4:30 PM", time(16, 30)),
        ("4:30pm", time(16, 30)),
        ("4:30 p.m.", time(16, 30)),
        ("4 PM", time(16)),
        ("4:30\u202fPM", time(16, 30)),
        ("12 AM", time(0)),
        ("12:15 PM", time(12, 15)),
        ("0:00", time(0)),
        (time(16, 0, 30), time(16)),
        ("16:00+02:00", time(16)),
        ("14:00Z", time(16)),
        ("14:00 Z", time(16)),
        ("09:00-0500", time(16)),
        ("2027-06-20T16:00:00+02:00", time(16)),
        ("2027-06-20T14:00:00Z", time(16)),
        ("2027-06-20T14:00:00.000Z", time(16)),
        ("2027-06-20T16:00", time(16)),
        ("2027-06-20 16:00", time(16)),
        ("2027-01-20T15:00:00Z", time(16)),
        ("2027-06-21T01:00:00+02:00", time(1)),
    ],
)
def test_a_time_of_the_day_is_read_at_the_venue(text: Any, read: time) -> None:
    assert read_clock(text, VIENNA, DAY) == read
    read_clock(text)  # it can be read before the venue is known


def test_a_time_with_an_offset_counts_on_the_weddings_day() -> None:
    assert read_clock("15:00Z", VIENNA, date(2027, 1, 20)) == time(16)
    assert read_clock("15:00Z", VIENNA, date(2027, 6, 20)) == time(17)
    assert read_clock("15:00Z", KIRITIMATI, DAY) == time(5)


@pytest.mark.parametrize(
    "text",
    [
        "9ish", "", " ", "16", "1600", "9", "9.30", "24:00", "25:00", "16:60", "13 PM", "0:30 AM", "4:30 XM", "noon",
        "٤:٣٠", "16:00+25:00", "16:00+02:60", "T16:00", "2027-06-20", "2027-02-30T16:00", "1999-06-20T16:00", 16, 16.5,
        True, None, [16], "16:00:61",
    ],
    ids=repr,
)  # fmt: skip
def test_what_is_no_time_of_the_day_is_refused(text: Any) -> None:
    with pytest.raises(ValueError, match="must "):
        read_clock(text, VIENNA, DAY)
    with pytest.raises(ValueError, match="must "):
        read_clock(text)


@pytest.mark.parametrize(
    "text", ["2027-06-20", " 2027-06-20 ", "2027-06-20T00:00:00", "2027-06-20 00:00", "2027-06-20T00:00:00.000", DAY]
)
def test_a_date_is_read(text: Any) -> None:
    assert read_date(text) == DAY


@pytest.mark.parametrize(
    "text",
    [
        "20270620", 20270620, 1813622400, "1813622400", 1813622400.0, "2027-6-20", "12/06/2027", "06/12/2027",
        "20.06.2027", "2027-W24-7", "2027-171", "June 20, 2027", "2027-02-30", "1999-12-31", "2201-01-01", "soon", "",
        "2027-06-20T16:00:00", "2027-06-19T22:00:00Z", True, None, "٢٠٢٧-٠٦-٢٠",
    ],
    ids=repr,
)  # fmt: skip
def test_a_date_is_never_guessed(text: Any) -> None:
    with pytest.raises(ValueError, match="must "):
        read_date(text)


def test_a_moment_has_its_offset_or_is_the_venues() -> None:
    assert read_moment("2027-06-20T09:00:00+02:00") == datetime(2027, 6, 20, 7, tzinfo=UTC)
    assert read_moment("2027-06-20t09:00z") == datetime(2027, 6, 20, 9, tzinfo=UTC)
    assert read_moment("2027-06-20 09:00") == datetime(2027, 6, 20, 9)
    assert read_moment("2027-06-20T09:00:00-0930").utcoffset() is not None


@pytest.mark.parametrize(
    "text", ["20270620", 20270620, 1813622400, "1813622400", "2027-06-20", "at eight", "9:00", None, True, 10**300],
    ids=lambda value: repr(value)[:20],
)  # fmt: skip
def test_a_number_is_no_moment(text: Any) -> None:
    with pytest.raises(ValueError, match="must be a time"):
        read_moment(text)


def test_an_instant_needs_its_offset() -> None:
    assert read_instant("2026-06-19T10:00:00+02:00") == datetime(2026, 6, 19, 8, tzinfo=UTC)
    for wrong in ("2026-06-19T10:00:00", 1781856000, "1781856000", "0001-01-01T00:00:00+23:59", None, "now"):
        with pytest.raises(ValueError, match="must be ISO 8601 with an offset"):
            read_instant(wrong)
