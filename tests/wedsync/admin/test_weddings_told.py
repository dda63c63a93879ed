"""Staff see whom a change or an emergency reaches before they make it; the trace says whose doing it was."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from notifications.models import Incident
from tests import factories
from tests.wedsync.admin.conftest import House, page
from wedsync.live.models import ChannelEvent
from wedsync.weddings.models import ApiKey, Contact, Membership, Wedding

SignIn = Callable[..., Client]


@pytest.fixture
def routes(ours: House) -> House:
    """Anna hears of everything by WhatsApp and email, Studio of the date; emergencies go to a team as well."""
    mine = {"organization": ours.organization}
    anna = ours.rows[Contact]
    Contact.objects.filter(pk=anna.pk).update(name="Anna Gruber", phone="+436601234567", email="anna@people.example")
    factories.AddressFactory(**mine, value="+436601234567", opted_out_at=timezone.now())
    team = factories.SystemFactory(**mine, kind="slack", name="#coordination")
    for kind in ("whatsapp", "email"):
        factories.SystemFactory(**mine, kind=kind)
    everyone = {**mine, "target": "people", "everyone": True, "channels": ["whatsapp", "email"], "system": None}
    factories.RouteFactory(**everyone, name="All", channel_pattern="couple:dashboard:{id}", event_types=[])
    factories.RouteFactory(
        **mine, name="Team", target="people", system=team, channels=["slack"], channel_pattern="urgent:wedding-day:*"
    )
    return ours


def text_of(answer: Any) -> str:
    return unescape(answer.content.decode())


def test_the_page_of_a_wedding_says_whom_a_change_tells_and_by_what(routes: House, sign_in: SignIn) -> None:
    shown = text_of(sign_in(routes).get(page(Wedding, "change", routes.rows[Wedding].pk)))

    assert "Who is told of a change" in shown
    for part in ("Times and venue", "Guest count", "Capacity", "Date"):
        assert part in shown
    assert "Anna Gruber" in shown
    assert "WhatsApp (not sent: opted out)" in shown
    assert ">Email<" in shown


def test_where_no_route_leads_it_says_so(ours: House, sign_in: SignIn) -> None:
    shown = text_of(sign_in(ours).get(page(Wedding, "change", ours.rows[Wedding].pk)))

    assert "nobody: no route leads anywhere" in shown


def save(client: Client, wedding: Wedding, **changed: Any) -> Any:
    rows = {"contacts-TOTAL_FORMS": "0", "contacts-INITIAL_FORMS": "0"}
    names = ("couple", "date", "timezone", "venue_name", "ceremony_time", "reception_time", "reception_end")
    held = {name: getattr(wedding, name) for name in (*names, "guest_count", "capacity")}
    form = {name: "" if value is None else str(value) for name, value in held.items()}
    return client.post(page(Wedding, "change", wedding.pk), {**form, **rows, **changed})


def test_the_trace_names_who_changed_a_wedding_in_the_admin(routes: House, sign_in: SignIn) -> None:
    client, wedding = sign_in(routes), routes.rows[Wedding]
    user = Membership.objects.get(user_id=client.session["_auth_user_id"]).user
    type(user).objects.filter(pk=user.pk).update(first_name="Clara", last_name="Moser")

    assert save(client, wedding, guest_count="123").status_code == 302

    event = ChannelEvent.objects.get(wedding=wedding, type="guest_count.changed")
    assert event.author == "Clara Moser"
    assert "Clara Moser" in text_of(client.get(reverse("event-trace", args=[event.pk])))
    assert "Clara Moser" in text_of(client.get(page(ChannelEvent, "change", event.pk)))


@pytest.mark.parametrize("what", ["wedding", "emergency"])
def test_the_trace_names_the_key_through_which_the_api_was_called(routes: House, what: str) -> None:
    wedding = routes.rows[Wedding]
    _, key = ApiKey.issue(routes.organization, "Planner app")
    client = Client(headers={"Authorization": f"Bearer {key}"})
    said = {"wedding": str(wedding.pk), "kind": "fire", "description": "Smoke"}
    before = set(ChannelEvent.objects.values_list("pk", flat=True))

    if what == "wedding":
        client.patch(f"/api/weddings/{wedding.pk}/", {"guest_count": 77}, content_type="application/json")
    else:
        client.post("/api/incidents/", said, content_type="application/json")

    (event,) = ChannelEvent.objects.filter(wedding=wedding).exclude(pk__in=before)
    assert event.author == "API key “Planner app”"


SAID = {"kind": "power outage", "description": "The hall is dark"}


def raise_at(client: Client, house: House, **form: Any) -> Any:
    return client.post(reverse("admin:weddings_wedding_raise_emergency", args=[house.rows[Wedding].pk]), form)


def test_the_form_names_the_wedding_and_chooses_neither_drill_nor_real(routes: House, sign_in: SignIn) -> None:
    client, wedding = sign_in(routes), routes.rows[Wedding]

    shown = text_of(client.get(reverse("admin:weddings_wedding_raise_emergency", args=[wedding.pk])))

    assert wedding.couple in shown
    assert wedding.venue_name in shown
    assert len(re.findall(r'<input[^>]*name="drill"', shown)) == 2
    assert not re.search(r'<input[^>]*name="drill"[^>]*\schecked[\s>=]', shown)
    assert text_of(raise_at(client, routes, **SAID)).count("This field is required") == 1
    assert not ChannelEvent.objects.filter(type="venue.emergency_reported").exists()


@pytest.mark.parametrize("drill", ["on", "true", "1", "", "maybe"])
def test_what_is_neither_drill_nor_real_raises_nothing(routes: House, sign_in: SignIn, drill: str) -> None:
    assert raise_at(sign_in(routes), routes, **SAID, drill=drill, answered="yes").status_code == 200

    assert not ChannelEvent.objects.filter(type="venue.emergency_reported").exists()
    assert not Incident.objects.filter(drill=True).exists()


@pytest.mark.parametrize("drill", ["real", "drill"])
def test_who_gets_what_is_said_and_confirmed_first(routes: House, sign_in: SignIn, drill: str) -> None:
    client = sign_in(routes)
    Incident.objects.all().delete()
    reported = {"real": "venue.emergency_reported", "drill": "incident.drill_started"}[drill]

    asked = text_of(raise_at(client, routes, **SAID, drill=drill))
    assert not ChannelEvent.objects.filter(type=reported).exists(), "nothing is sent before it is confirmed"
    assert ("REAL emergency" in asked) == (drill == "real")
    assert ("Anna Gruber" in asked) == (drill == "real")
    assert "The hall is dark" in asked
    raise_at(client, routes, **SAID, drill=drill, answered="yes")

    assert ChannelEvent.objects.filter(type=reported).count() == 1


def test_a_report_that_joins_an_open_incident_says_so(routes: House, sign_in: SignIn) -> None:
    asked = text_of(raise_at(sign_in(routes), routes, **SAID, drill="real"))

    assert "Already open" in asked
    assert "reaches those whom it has alerted" in asked
    assert "Anna Gruber" not in asked, "she was not alerted by the first report"


def test_the_button_that_calls_a_delivery_off_says_so(ours: House, sign_in: SignIn) -> None:
    from integrations.models import Delivery

    row = ours.rows[Delivery]
    shown = text_of(sign_in(ours).get(reverse("admin:integrations_delivery_cancel", args=[row.pk])))

    assert ">Cancel this delivery</button>" in shown
    assert ">Leave it as it is</a>" in shown
