"""The wedding as a calendar, read with the parser of another library's users: icalendar."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from django.test import Client
from icalendar import Calendar

from tests.wedsync.couple.visiting import Couple, make_couple, text_of
from wedsync.weddings import personal_links
from wedsync.weddings.changes import Said, apply
from wedsync.weddings.models import Contact, PersonalLink, Wedding


def address(couple: Couple) -> str:
    link = personal_links.calendar_of(couple.contact)
    return f"/couple/calendar/{personal_links.token_of(link.id)}.ics"


def events(couple: Couple) -> dict[str, Any]:
    answer = Client().get(address(couple))
    assert answer.status_code == 200
    return {str(each["UID"]): each for each in Calendar.from_ical(answer.content).events}


def test_a_program_reads_the_times_with_their_zone(couple: Couple) -> None:
    answer = Client().get(address(couple))
    calendar = Calendar.from_ical(answer.content)

    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    assert answer["Cache-Control"] == "private, no-cache"
    assert [str(zone["TZID"]) for zone in calendar.timezones] == ["Europe/Vienna"]
    found = {str(each["SUMMARY"]): (each.start, each.end) for each in calendar.events}
    zone = couple.wedding.zone
    assert {name: [at.astimezone(UTC) for at in times] for name, times in found.items()} == {
        "Ceremony: Anna & Ben": [datetime(2027, 6, 19, 15, tzinfo=zone), datetime(2027, 6, 19, 18, tzinfo=zone)],
        "Reception: Anna & Ben": [datetime(2027, 6, 19, 18, tzinfo=zone), datetime(2027, 6, 19, 23, 30, tzinfo=zone)],
    }


def test_a_change_keeps_the_ids_and_raises_the_sequence(couple: Couple) -> None:
    before = events(couple)

    later = couple.wedding.created_at + timedelta(minutes=5)
    apply(couple.wedding.id, {"ceremony_time": datetime(2027, 1, 1, 16).time()}, Said(later))
    after = events(couple)

    assert set(after) == set(before) == {f"{name}-{couple.wedding.id}@wedsync" for name in ("ceremony", "reception")}
    for uid, event in after.items():
        assert int(event["SEQUENCE"]) == int(before[uid]["SEQUENCE"]) + 300
        assert event["DTSTAMP"].dt > before[uid]["DTSTAMP"].dt


def test_what_has_not_changed_is_not_sent_again(couple: Couple) -> None:
    first = Client().get(address(couple))

    again = Client().get(address(couple), headers={"If-None-Match": first["ETag"]})

    assert (again.status_code, again.content) == (304, b"")
    assert Client().get(address(couple)).content == first.content


def test_a_wedding_without_times_is_a_whole_day(couple: Couple) -> None:
    wedding = couple.wedding
    wedding.ceremony_time = wedding.reception_time = wedding.reception_end = None
    wedding.save()

    (event,) = events(couple).values()

    assert (event.start, event.end) == (wedding.date, wedding.date + timedelta(days=1))
    assert str(event["SUMMARY"]) == "Wedding: Anna & Ben"


@pytest.mark.parametrize("ends", [time(4), None])
def test_a_reception_earlier_than_the_ceremony_is_on_the_next_day(couple: Couple, ends: time | None) -> None:
    wedding = couple.wedding
    wedding.ceremony_time, wedding.reception_time, wedding.reception_end = time(22), time(0, 30), ends
    wedding.save()

    found = events(couple)

    night, zone = wedding.date + timedelta(days=1), wedding.zone
    ceremony, reception = (found[f"{name}-{wedding.id}@wedsync"] for name in ("ceremony", "reception"))
    assert (ceremony.start, ceremony.end) == (
        datetime.combine(wedding.date, time(22), zone),
        datetime.combine(night, time(0, 30), zone),
    )
    assert (reception.start, reception.end) == (
        datetime.combine(night, time(0, 30), zone),
        datetime.combine(night, ends or time(4, 30), zone),
    )


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\u2028", "\x0b"])
def test_a_name_with_a_line_end_is_one_line(couple: Couple, end: str) -> None:
    Wedding.objects.filter(id=couple.wedding.id).update(couple=f"Anna{end}& Ben")
    couple.wedding.refresh_from_db()

    assert {str(each["SUMMARY"]) for each in events(couple).values()} == {
        "Ceremony: Anna & Ben",
        "Reception: Anna & Ben",
    }
    assert b"X-WR-CALNAME:Anna & Ben\r\n" in Client().get(address(couple)).content


def test_text_from_outside_cannot_add_lines(couple: Couple) -> None:
    couple.wedding.venue_name = "Seehof\r\nATTENDEE:mailto:a@b.example"
    couple.wedding.save()

    body = Client().get(address(couple)).content

    assert b"\nATTENDEE" not in body


@pytest.mark.parametrize("what", ["revoked", "a page's token", "damaged", "another role"])
def test_a_calendar_needs_its_own_valid_link(couple: Couple, what: str) -> None:
    path = address(couple)
    if what == "revoked":
        personal_links.revoke(PersonalLink.objects.filter(purpose="calendar"), "staff")
    elif what == "another role":
        Contact.objects.filter(id=couple.contact.id).update(role=Contact.Role.CATERER)
    elif what == "a page's token":
        path = f"/couple/calendar/{couple.token}.ics"
    else:
        path = path.replace(".ics", "A.ics")

    assert Client().get(path).status_code == 404


def test_a_contact_who_was_moved_to_another_wedding_gets_a_calendar_of_that_one(couple: Couple) -> None:
    before = address(couple)

    couple.contact.wedding = make_couple(organization=couple.wedding.organization, couple="Carl & Dora").wedding
    couple.contact.save()

    assert Client().get(before).status_code == 404
    assert {str(each["SUMMARY"]) for each in events(couple).values()} == {
        "Ceremony: Carl & Dora",
        "Reception: Carl & Dora",
    }


def test_the_page_says_how_fast_calendars_follow(couple: Couple) -> None:
    couple.open()

    answer = couple.browser.get(f"{couple.home}calendar/")

    assert "Apple looks every hour, Google about once a day" in text_of(answer)
    assert address(couple) in answer.content.decode()
    assert 'href="webcal://' in answer.content.decode()
    assert PersonalLink.objects.filter(purpose="calendar").count() == 1


def test_after_a_revocation_the_page_gives_a_new_address(couple: Couple) -> None:
    couple.open()
    first = address(couple)
    personal_links.revoke(PersonalLink.objects.filter(purpose="calendar"), "staff")

    answer = couple.browser.get(f"{couple.home}calendar/")

    assert first not in answer.content.decode()
    assert address(couple) in answer.content.decode()
