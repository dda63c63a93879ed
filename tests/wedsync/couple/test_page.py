"""What the couple read on their page, in their language, and what its buttons do."""

from __future__ import annotations

import json
from datetime import datetime, time, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from notifications.wording.languages import LANGUAGES, reader
from tests.factories import (
    ChannelFactory,
    ContactFactory,
    EntryFactory,
    EventFactory,
    IncidentFactory,
    SystemFactory,
)
from tests.wedsync.couple.visiting import Couple, make_couple, text_of
from wedsync.couple.content import day, words
from wedsync.live.models import Channel, Seen
from wedsync.weddings.models import Wedding


def happens(couple: Couple, event_type: str, payload: dict[str, Any], **more: Any) -> int:
    """An event on the couple's channel; returns its sequence."""
    organization = couple.wedding.organization
    channel = Channel.objects.filter(name=f"couple:dashboard:{couple.wedding.id}").first() or ChannelFactory(
        organization=organization, name=f"couple:dashboard:{couple.wedding.id}", last_sequence=0
    )
    channel.last_sequence += 1
    channel.save()
    event = EventFactory(organization=organization, wedding=couple.wedding, type=event_type, payload=payload, **more)
    EntryFactory(channel=channel, event=event, sequence=channel.last_sequence)
    return int(channel.last_sequence)


def test_the_page_shows_the_day_in_the_venues_time(couple: Couple) -> None:
    shown = text_of(couple.open())

    assert "Anna & Ben" in shown or "Anna &amp; Ben" in shown
    assert "Saturday, 19 June 2027 · Seehof" in shown.replace("Saturday 19", "Saturday, 19")
    assert "Times at the venue (Vienna)" in shown
    assert "Ceremony 15:00 Reception 18:00 End of the reception 23:30" in shown
    assert "110 of 150 places 40 places are free." in shown


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_speaks_the_contacts_language(db: None, language: str) -> None:
    couple = make_couple(couple="Anna & Ben", locale=language)
    said = words.words_of(language)

    answer = couple.open()

    assert f'<html lang="{language}"' in answer.content.decode()
    for name in ("timeline", "guests", "people", "news", "no_news", "calendar", "nothing_new"):
        assert said[name] in text_of(answer)


def test_every_language_has_every_word_with_the_same_gaps() -> None:
    english = words.words_of("en")
    for language in LANGUAGES:
        found = words.words_of(language)
        assert set(found) == set(english)
        for name, text in english.items():
            gaps = [gap for gap in ("{n}", "{time}", "{name}", "{day}", "{zone}", "{when}", "{number}") if gap in text]
            assert all(gap in found[name] for gap in gaps), (language, name)


def test_the_language_switch_lasts_in_this_browser(couple: Couple) -> None:
    couple.open()

    couple.browser.post(f"{couple.home}language/", {"language": "fr"})

    assert "La journée" in text_of(couple.page())
    couple.browser.post(f"{couple.home}language/", {"language": "xx"})
    assert "La journée" in text_of(couple.page())


def test_suppliers_are_listed_with_where_their_bookings_stand(couple: Couple) -> None:
    organization = couple.wedding.organization
    of_wedding = {"organization": organization, "wedding": couple.wedding}
    ContactFactory(**of_wedding, name="Mia Lang", role="photographer")
    ContactFactory(**of_wedding, name="Tom Berger", role="venue")
    ContactFactory(**of_wedding, name="Kofi Steiner", role="vendor")
    ContactFactory(organization=organization, name="Somebody Else", role="vendor")
    studio = SystemFactory(organization=organization, kind="studio_cloud")
    for event_type in ("booking.created", "booking.confirmed"):
        EventFactory(
            **of_wedding, type=event_type, source_system_id=studio.id, payload={"booking_id": "1", "status": "x"}
        )

    shown = text_of(couple.open())

    assert "Tom Berger Venue Mia Lang Photography confirmed Kofi Steiner Supplier" in shown
    assert "Somebody Else" not in shown


def test_what_happened_is_told_in_words_with_what_is_new_marked(couple: Couple) -> None:
    happens(couple, "venue.capacity_updated", {"capacity": 180, "previous": 150})
    first = text_of(couple.open())
    couple.browser.post(f"{couple.home}seen/", {"sequence": "1"})

    happens(couple, "timeline.updated", {"changes": [{"field": "ceremony_time", "before": "15:00", "after": "16:00"}]})
    second = text_of(couple.page())

    assert "Since you last looked One thing has changed." in first
    assert "180" in first
    assert "Since you last looked, " in second
    assert "One thing has changed. New times for the wedding of Anna" in second
    assert "Ceremony: 15:00 → 16:00" in second
    assert second.count(" new ") == 1
    couple.browser.post(f"{couple.home}seen/", {"sequence": "2"})
    assert "Nothing has changed." in text_of(couple.page())


def test_an_open_page_goes_on_marking_what_was_new_when_it_was_opened(couple: Couple) -> None:
    happens(couple, "venue.capacity_updated", {"capacity": 180})
    couple.open()
    couple.browser.post(f"{couple.home}seen/", {"sequence": "1"})

    shown = text_of(couple.browser.get(f"{couple.home}parts/", {"since": "0", "looked": ""}))

    assert "One thing has changed." in shown
    for odd in ({"since": "x"}, {"since": "9" * 30}, {"since": "0", "looked": "noon"}, {"since": "-1"}):
        assert couple.browser.get(f"{couple.home}parts/", odd).status_code == 200


@pytest.mark.parametrize(
    "edge", ["0001-01-01T00:00:00", "0001-12-31T23:59:59", "9999-01-01T00:00:00", "9999-12-31T23:59:59"]
)
@pytest.mark.parametrize("offset", ["+14:00", "+00:00", "-14:00", ""])
def test_a_time_at_the_edge_of_the_calendar_is_ignored(couple: Couple, edge: str, offset: str) -> None:
    couple.open()

    answer = couple.browser.get(f"{couple.home}parts/", {"since": "0", "looked": edge + offset})

    assert answer.status_code == 200
    assert "Since you last looked Nothing has changed." in text_of(answer)


def test_seen_keeps_the_highest_and_takes_no_nonsense(couple: Couple) -> None:
    for _ in range(3):
        happens(couple, "venue.capacity_updated", {"capacity": 180})
    couple.open()

    for said in ("2", "1", "", "x", "-1", "1" * 40):
        assert couple.browser.post(f"{couple.home}seen/", {"sequence": said}).status_code == 303

    assert Seen.objects.get().sequence == 2


def test_an_emergency_says_what_to_do_and_whom_to_call(couple: Couple) -> None:
    of_wedding = {"organization": couple.wedding.organization, "wedding": couple.wedding}
    ContactFactory(**of_wedding, name="Clara Moser", phone="+12025550106", call_order=1)
    ContactFactory(**of_wedding, name="Kofi Steiner", phone="+12025550107", role="vendor")
    payload = {"kind": "power_outage", "reported_by": "Tom Berger", "contact_phone": "+12025550104"}
    event = EventFactory(**of_wedding, type="venue.emergency_reported", payload=payload)
    incident = IncidentFactory(**of_wedding, event=event)

    answer = couple.open()

    shown, body = text_of(answer), answer.content.decode()
    assert "Emergency: Power outage The hall is dark Reported at" in shown
    assert "If anybody is in danger, call 112 first." in shown
    assert 'href="tel:+12025550106"' in body
    assert 'href="tel:+12025550104"' in body
    assert "+12025550107" not in body
    assert body.index("+12025550106") < body.index("+12025550104")

    couple.browser.post(f"{couple.home}acknowledge/", {"incident": str(incident.id)})

    incident.refresh_from_db()
    assert (incident.state, incident.acknowledged_by) == ("acknowledged", "Anna Gruber")
    shown = text_of(couple.page())
    assert "Anna Gruber has been taking care of it since" in shown
    assert "I'll take care of it" not in shown


def test_a_drill_and_what_is_over_are_not_shown(couple: Couple) -> None:
    of_wedding = {"organization": couple.wedding.organization, "wedding": couple.wedding}
    IncidentFactory(**of_wedding, drill=True)
    IncidentFactory(**of_wedding, state="resolved")

    assert "The hall is dark" not in text_of(couple.open())


def test_what_others_wrote_is_text(couple: Couple) -> None:
    of_wedding = {"organization": couple.wedding.organization, "wedding": couple.wedding}
    IncidentFactory(**of_wedding, description="<script>alert(1)</script>", opened_by="<b>Tom</b>")
    happens(couple, "venue.capacity_updated", {"capacity": 1, "reason": "<img src=x onerror=alert(1)>"})

    body = couple.open().content.decode()

    assert "<script>alert" not in body
    assert "<b>Tom" not in body
    assert "<img src=x" not in body


def test_the_state_comes_with_its_position(couple: Couple) -> None:
    happens(couple, "venue.capacity_updated", {"capacity": 180})
    happens(couple, "venue.capacity_updated", {"capacity": 190})

    body = couple.open().content.decode()

    channel = Channel.objects.get()
    said = json.dumps({channel.name: {"last": 2, "epoch": str(channel.epoch)}}).replace('"', "&quot;")
    assert f'data-live="{said}"' in body


@pytest.mark.parametrize("waiting", [{"effect": "pending"}, {"routing": "pending"}])
def test_the_page_says_when_an_event_has_still_to_change_the_wedding(couple: Couple, waiting: dict[str, str]) -> None:
    happens(couple, "venue.capacity_updated", {"capacity": 180}, **waiting)

    assert 'data-settled="no"' in couple.open().content.decode()


def test_an_event_for_which_there_are_no_words_does_not_break_the_page(couple: Couple) -> None:
    happens(couple, "booking.confirmed", {"booking_id": "1", "status": "x", "date": "not a date"})

    assert couple.open().status_code == 200


def test_an_event_of_a_clients_own_type_is_told_with_its_values(couple: Couple) -> None:
    happens(couple, "custom.toast", {"speaker": "Uncle Karl"})

    assert "Uncle Karl" in text_of(couple.open())


def test_pages_are_private_and_load_nothing_from_outside(couple: Couple) -> None:
    answer = couple.open()

    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer["Cache-Control"] == "private, no-cache"
    assert answer["Referrer-Policy"] == "same-origin"
    body = answer.content.decode()
    assert "http://" not in body.replace("http://www.w3.org", "")
    assert "https://" not in body
    assert "style=" not in body
    assert "onclick" not in body


@pytest.mark.parametrize(
    ("at", "states"),
    [
        (time(9), ["next", "", ""]),
        (time(15, 30), ["now", "next", ""]),
        (time(23, 45), ["over", "over", "over"]),
    ],
)
def test_the_timeline_knows_what_is_going_on(at: time, states: list[str]) -> None:
    wedding = Wedding(
        id=uuid4(), date=datetime(2027, 6, 19).date(), timezone="Europe/Vienna", ceremony_time=time(15),
        reception_time=time(18), reception_end=time(23, 30),
    )  # fmt: skip
    now = datetime.combine(wedding.date, at, wedding.zone)

    assert [each.state for each in day.timeline(wedding, now, reader("en", "Europe/Vienna"))] == states


def test_the_countdown_counts_the_venues_days(couple: Couple) -> None:
    wedding = couple.wedding
    wedding.date = timezone.now().astimezone(wedding.zone).date() + timedelta(days=12)
    wedding.save()

    assert "In 12 days" in text_of(couple.open())
