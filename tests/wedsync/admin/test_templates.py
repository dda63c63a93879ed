"""An organization's own words in the admin: versions, errors at their field, previews within the border."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from notifications.models import MessageTemplate, WhatsAppTemplate
from tests import factories
from tests.wedsync.admin.conftest import House, page
from wedsync.live.models import ChannelEvent
from wedsync.weddings.models import Membership

SignIn = Callable[..., Client]
Role = Membership.Role
NEW = {"event_type": "booking.confirmed", "channel": "", "locale": "de", "text": "Gebucht: {{ wedding.couple }}"}


def button(row: MessageTemplate, name: str) -> str:
    return reverse(f"admin:notifications_messagetemplate_{name}", args=[row.pk])


def mine(house: House) -> MessageTemplate:
    found: MessageTemplate = house.rows[MessageTemplate]
    return found


def test_a_planner_writes_a_text_and_each_save_is_the_next_version(ours: House, sign_in: SignIn) -> None:
    client = sign_in(ours, role=Role.PLANNER)

    assert client.post(page(MessageTemplate, "add"), NEW).status_code == 302
    first = MessageTemplate.objects.get(organization=ours.organization, event_type="booking.confirmed")
    assert first.created_by_id == int(client.session["_auth_user_id"])
    shown = client.get(page(MessageTemplate, "change", first.pk)).context["adminform"].form
    answer = client.post(
        page(MessageTemplate, "change", first.pk),
        {
            "text": "Neu: {{ wedding.couple }}\r\nAm: {{ wedding.date|day }}",
            "note": "shorter",
            "seen": shown.initial["seen"],
            "event_type": "digest",
        },
    )

    first.refresh_from_db()
    second = MessageTemplate.objects.get(organization=ours.organization, event_type="booking.confirmed", active=True)
    assert (first.text, first.active) == (NEW["text"], False)
    assert (second.text, second.note, second.version, second.locale) == (
        "Neu: {{ wedding.couple }}\nAm: {{ wedding.date|day }}",
        "shorter",
        2,
        "de",
    )
    assert answer.headers["Location"] == page(MessageTemplate, "change", second.pk)
    history = client.get(answer.headers["Location"]).content.decode()
    assert "version 1" in history
    assert "version 2" in history


@pytest.mark.parametrize(
    ("changed", "field", "why"),
    [
        ({"text": "{{ payload.booking_id"}, "text", "cannot be rendered"),
        ({"text": "{{ payload.seats }}"}, "text", "seats"),
        ({"text": "{{ wedding.couple|shout }}"}, "text", "unknown filter shout"),
        ({"text": "{# nothing #}"}, "text", "says nothing"),
        ({"text": "x" * 151}, "text", "is 150"),
        ({"text": "x\n" + "a: b\n" * 11}, "text", "at most 10"),
        ({"text": "x" * 8001}, "text", "8000"),
        ({"text": "x\n" + "y" * 1000, "channel": "whatsapp"}, "text", "1024"),
        ({"locale": "xx"}, "locale", "valid choice"),
        ({"event_type": "venue.unheard_of"}, "event_type", "valid choice"),
        ({"channel": "pigeon"}, "channel", "valid choice"),
    ],
)
def test_a_mistake_is_told_at_its_field(
    ours: House, sign_in: SignIn, changed: dict[str, str], field: str, why: str
) -> None:
    answer = sign_in(ours).post(page(MessageTemplate, "add"), NEW | changed)

    assert answer.status_code == 200
    errors = answer.context["adminform"].form.errors
    assert field in errors
    assert why in errors[field][0]
    assert not MessageTemplate.objects.filter(organization=ours.organization, event_type="booking.confirmed").exists()


def test_a_mistake_in_a_next_version_is_told_at_its_field(ours: House, sign_in: SignIn) -> None:
    answer = sign_in(ours).post(page(MessageTemplate, "change", mine(ours).pk), {"text": "{{ payload.seats }}"})

    assert "seats" in answer.context["adminform"].form.errors["text"][0]


def test_who_saves_second_is_told_and_keeps_their_text(ours: House, sign_in: SignIn) -> None:
    first, second = sign_in(ours), sign_in(ours)
    address = page(MessageTemplate, "change", mine(ours).pk)

    assert first.post(address, {"text": "First", "seen": 1}).status_code == 302
    answer = second.post(address, {"text": "Second", "seen": 1})

    assert "Somebody else" in answer.context["adminform"].form.errors["text"][0]
    assert answer.context["adminform"].form["text"].value() == "Second"
    in_force = MessageTemplate.objects.get(organization=ours.organization, active=True)
    assert in_force.text == "First"


def test_an_address_prefills_the_shipped_words_and_opens_no_other_file(ours: House, sign_in: SignIn) -> None:
    client = sign_in(ours)

    for query, expected in (
        ({"event_type": "booking.confirmed", "locale": "en"}, "is confirmed"),
        ({"event_type": "../words", "locale": "en"}, None),
        ({"event_type": "booking.confirmed", "locale": "../en"}, None),
    ):
        text = client.get(page(MessageTemplate, "add"), query).context["adminform"].form.initial.get("text")
        assert (expected in text) if expected else text is None


def test_a_version_is_withdrawn_and_used_again_once_asked(ours: House, sign_in: SignIn) -> None:
    client, row = sign_in(ours, role=Role.PLANNER), mine(ours)

    assert client.get(button(row, "withdraw")).status_code == 200
    row.refresh_from_db()
    assert row.active, "following a link changes nothing"
    client.post(button(row, "withdraw"))
    assert not MessageTemplate.objects.filter(organization=ours.organization, active=True).exists()
    client.post(button(row, "use_again"))

    again = MessageTemplate.objects.get(organization=ours.organization, active=True)
    assert (again.text, again.version) == (row.text, 2)


@pytest.mark.parametrize("name", ["withdraw", "use_again", "preview"])
def test_buttons_of_others_are_not_there(ours: House, theirs: House, sign_in: SignIn, name: str) -> None:
    client = sign_in(ours)

    for answer in (client.get(button(mine(theirs), name)), client.post(button(mine(theirs), name))):
        assert answer.status_code == 404
    assert MessageTemplate.objects.get(pk=mine(theirs).pk).active


def test_support_presses_nothing_and_may_look(ours: House, sign_in: SignIn) -> None:
    client = sign_in(ours, role=Role.SUPPORT)

    assert client.post(button(mine(ours), "withdraw")).status_code == 404
    assert client.post(page(MessageTemplate, "change", mine(ours).pk), {"text": "x"}).status_code == 403
    assert client.get(button(mine(ours), "preview")).status_code == 200
    assert MessageTemplate.objects.get(pk=mine(ours).pk).active


def event_of(house: House) -> ChannelEvent:
    wedding = factories.WeddingFactory(organization=house.organization, couple=f"{house.mark} couple")
    found: ChannelEvent = factories.EventFactory(
        organization=house.organization, wedding=wedding, type="venue.capacity_updated", payload={"capacity": 187}
    )
    return found


def shown(answer: Any) -> dict[str, Any]:
    return {each.channel: each for each in answer.context["shown"]}


def test_a_preview_shows_an_own_event_on_each_channel(ours: House, sign_in: SignIn) -> None:
    event = event_of(ours)

    answer = sign_in(ours).post(button(mine(ours), "preview"), {"event": str(event.id)})

    found = shown(answer)
    assert set(found) == {"WhatsApp", "Slack", "Email", "SMS", "Web Push"}
    assert all("Lakeside: 187 seats" in each.text for each in found.values())
    assert "<iframe sandbox srcdoc=" in answer.content.decode()


def test_a_preview_offers_and_takes_no_event_of_others(ours: House, theirs: House, sign_in: SignIn) -> None:
    foreign, own = event_of(theirs), event_of(ours)
    client = sign_in(ours, theirs)  # a member of both: still the template's organization counts

    text = client.get(button(mine(ours), "preview")).content.decode()
    answer = client.post(button(mine(ours), "preview"), {"event": str(foreign.id)})

    assert str(own.id) in text
    assert str(foreign.id) not in text
    assert "event" in answer.context["form"].errors
    assert answer.context["shown"] == []
    assert theirs.mark not in answer.content.decode()


def test_of_an_approved_template_only_the_status_is_edited(ours: House, sign_in: SignIn) -> None:
    client, row = sign_in(ours, role=Role.PLANNER), ours.rows[WhatsAppTemplate]

    answer = client.post(
        page(WhatsAppTemplate, "change", row.pk), {"status": "disabled", "body": "Other", "name": "other"}
    )

    assert answer.status_code == 302
    before = (row.name, row.body)
    row.refresh_from_db()
    assert (row.status, row.name, row.body) == ("disabled", *before)


def test_a_mistake_in_a_whatsapp_template_is_told_at_its_field(ours: House, sign_in: SignIn) -> None:
    good = {
        "name": "our_news", "language": "de", "purpose": "update", "status": "approved", "buttons": "[]",
        "body": "Hello {{1}}, this is the news of the wedding: {{2}}. We keep you posted.",
        "parameters": '["recipient", "headline"]',
    }  # fmt: skip
    client = sign_in(ours, role=Role.PLANNER)

    for field, value in (("name", "Our News"), ("body", "{{1}}"), ("parameters", '["x"]'), ("purpose", "emergency")):
        answer = client.post(page(WhatsAppTemplate, "add"), good | {field: value})
        told = "buttons" if field == "purpose" else field
        assert told in answer.context["adminform"].form.errors
    assert client.post(page(WhatsAppTemplate, "add"), good | {"buttons": ""}).status_code == 302
    assert WhatsAppTemplate.objects.get(name="our_news").organization == ours.organization


def test_a_new_text_begins_with_the_shipped_words_of_a_chosen_language(ours: House, sign_in: SignIn) -> None:
    client, address = sign_in(ours, role=Role.PLANNER), reverse("admin:notifications_messagetemplate_begin")

    assert client.get(address).status_code == 200
    answer = client.post(address, {"event_type": "booking.confirmed", "locale": "de-AT"}, follow=True)

    form = answer.context["adminform"].form
    assert (form["event_type"].value(), form["locale"].value()) == ("booking.confirmed", "de-AT")
    assert "bestätigt" in form["text"].value()
    assert sign_in(ours, role=Role.SUPPORT).get(address).status_code == 403
