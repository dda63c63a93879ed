"""An organization's own words: what is refused, which version is in force, and its own templates at Meta."""

import json
from dataclasses import replace
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from integrations.errors import TemplateRefused
from integrations.models import Delivery
from notifications import wording
from notifications.channels.registry import CHANNELS
from notifications.channels.whatsapp import templates
from notifications.message_templates import checking, previews, versions
from notifications.models import MessageTemplate
from notifications.wording.languages import FILES
from tests.at_once import at_once
from tests.factories import (
    ContactFactory,
    DeliveryFactory,
    EventFactory,
    MessageTemplateFactory,
    OrganizationFactory,
    WeddingFactory,
    WhatsAppTemplateFactory,
)
from wedsync.weddings.models import ContactChannel, Organization, Wedding

CAPACITY = "venue.capacity_updated"
SHIPPED = sorted(FILES.glob("*/*.txt"))


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_the_shipped_words_are_fit(file: Any) -> None:
    checking.check(file.read_text(encoding="utf-8"), file.stem, "", file.parent.name)


@pytest.mark.parametrize(
    ("text", "event_type", "channel", "locale", "field", "why"),
    [
        ("{{ payload.capacity", CAPACITY, "", "en", "text", "cannot be written"),
        ("{{ payload.seats }}", CAPACITY, "", "en", "text", "seats"),
        ("{{ nothing }}", CAPACITY, "", "en", "text", "nothing"),
        ("{{ payload.capacity|shout }}", CAPACITY, "", "en", "text", "no filter shout"),
        ("{{ payload.__class__ }}", CAPACITY, "", "en", "text", "not allowed"),
        ("{{ payload.capacity }}", "fallback", "", "en", "text", "tried with"),
        ("{{ count }}", CAPACITY, "", "en", "text", "count"),
        (" \n {% if false %}x{% endif %}", CAPACITY, "", "en", "text", "says nothing"),
        ("x" * 151, CAPACITY, "slack", "en", "text", "Slack takes 150"),
        ("x" * 251, CAPACITY, "email", "en", "text", "Email takes 250"),
        ("x" * 151, CAPACITY, "", "en", "text", "every channel takes 150"),
        ("head\n" + "a: b\n" * 11, CAPACITY, "slack", "en", "text", "at most 10"),
        ("head\n" + "a: b\n" * 11, CAPACITY, "", "en", "text", "at most 10"),
        ("head\n" + "y" * 8000, CAPACITY, "email", "en", "text", "at most 8000"),
        ("head\n" + "y" * 1000, CAPACITY, "whatsapp", "de", "text", "at most 1024"),
        ("head", CAPACITY, "", "xx", "locale", "no known language"),
        ("head", CAPACITY, "", "../en", "locale", "no known language"),
        ("head", "venue.unheard_of", "", "en", "event_type", "no event type"),
    ],
)
def test_what_could_not_be_sent_is_refused_at_its_field(
    text: str, event_type: str, channel: str, locale: str, field: str, why: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        versions.check(text, event_type, channel, locale)

    assert list(refused.value.message_dict) == [field]
    assert why in refused.value.message_dict[field][0]


def test_what_is_just_short_enough_is_taken() -> None:
    checking.check("x" * 150 + "\na: b" * 10, CAPACITY, "slack", "de-AT")
    checking.check("x" * 250 + "\na: b" * 30, CAPACITY, "email", "en")
    checking.check("{{ count }} news\n{% for one in top %}{{ one }}\n{% endfor %}{{ more }}", "digest", "", "fr")


@pytest.fixture
def house(db: None) -> Organization:
    return OrganizationFactory()


def save(house: Organization, text: str, **rest: Any) -> MessageTemplate:
    return versions.put_in_force(house, CAPACITY, "", "en", text, by=None, **rest)


def test_each_save_is_the_next_version_and_the_one_before_keeps_its_words(house: Organization) -> None:
    first = save(house, "One", note="to begin with")
    second = save(house, "Two", seen=1)

    first.refresh_from_db()
    assert (first.text, first.version, first.active) == ("One", 1, False)
    assert (second.version, second.active) == (2, True)
    again = versions.use_again(first, None)
    assert (again.text, again.version, again.note) == ("One", 3, "Version 1 again")
    assert versions.withdraw(again)
    assert not versions.withdraw(again)
    assert not MessageTemplate.objects.filter(organization=house, active=True).exists()


def test_who_has_not_seen_the_newest_version_is_told(house: Organization) -> None:
    save(house, "One")
    save(house, "Two")

    with pytest.raises(versions.ChangedMeanwhile, match="version 2"):
        save(house, "Mine", seen=1)

    assert MessageTemplate.objects.get(organization=house, active=True).text == "Two"


def test_an_unfit_text_changes_nothing(house: Organization) -> None:
    save(house, "One")

    with pytest.raises(ValidationError):
        save(house, "{{ payload.seats }}")

    assert MessageTemplate.objects.get(organization=house).active


@pytest.mark.django_db(transaction=True)
def test_of_saves_at_once_one_is_in_force_and_the_rest_are_told() -> None:
    house = OrganizationFactory()
    save(house, "One")

    def one(number: int) -> str:
        try:
            return save(house, f"By {number}", seen=1).text
        except versions.ChangedMeanwhile:
            return ""

    done = [text for text in at_once(4, one) if text]

    assert len(done) == 1
    assert MessageTemplate.objects.get(organization=house, active=True).text == done[0]


@pytest.mark.django_db(transaction=True)
def test_saves_at_once_that_do_not_look_make_versions_without_a_gap() -> None:
    house = OrganizationFactory()

    at_once(4, lambda number: save(house, f"By {number}"))

    assert sorted(MessageTemplate.objects.values_list("version", flat=True)) == [1, 2, 3, 4]
    assert MessageTemplate.objects.get(active=True).version == 4


@pytest.mark.django_db
def test_an_own_fallback_stands_before_the_shipped_one() -> None:
    wedding = WeddingFactory()
    # its own words cannot be written, since a moment is none
    event = EventFactory(
        organization=wedding.organization,
        wedding=wedding,
        type="venue.setup_scheduled",
        payload={"starts_at": "some day", "requirements": "12 tables"},
    )
    shipped = wording.write(wording.Subject(event, None, ContactChannel.EMAIL))
    versions.put_in_force(wedding.organization, "fallback", "", "en", "Ours", by=None)
    MessageTemplateFactory(event_type="fallback", text="Theirs")

    content = wording.write(wording.Subject(event, None, ContactChannel.EMAIL))

    assert shipped.headline.startswith("News about")
    assert content.headline == "Ours"


def of_whatsapp(wedding: Wedding, **rest: Any) -> tuple[wording.Content, Delivery]:
    event = EventFactory(organization=wedding.organization, wedding=wedding, type=CAPACITY, payload={"capacity": 180})
    contact = ContactFactory(organization=wedding.organization, wedding=wedding, locale="en")
    row = DeliveryFactory(organization=wedding.organization, event=event, contact=contact, channel="whatsapp", **rest)
    return wording.write(wording.Subject(event, contact, ContactChannel.WHATSAPP)), row


@pytest.mark.django_db
def test_an_own_approved_template_stands_before_the_shipped_one_in_its_language() -> None:
    wedding = WeddingFactory(couple="Anna & Ben {{1}}", venue_name="Seehof")
    of_house = {"organization": wedding.organization}
    WhatsAppTemplateFactory(**of_house, name="ours", body="{{2}}: {{1}}", parameters=["venue", "couple"])
    WhatsAppTemplateFactory(**of_house, name="pending", status="pending", language="de")
    WhatsAppTemplateFactory(name="theirs", body="{{1}} {{2}} {{3}}", language="de")

    ours = templates.template_for(*of_whatsapp(wedding))
    content, delivery = of_whatsapp(wedding)
    german = templates.template_for(replace(content, language="de"), delivery)

    assert (ours.name, ours.parameters, ours.text) == (
        "ours",
        ("Seehof", "Anna & Ben {{1}}"),
        "Anna & Ben {{1}}: Seehof",
    )
    assert (german.name, german.language) == ("wedding_update_2", "de")


@pytest.mark.django_db
def test_a_template_that_meta_refuses_is_paused_and_the_shipped_one_is_used() -> None:
    wedding = WeddingFactory()
    row = WhatsAppTemplateFactory(organization=wedding.organization, name="ours")
    same_name = WhatsAppTemplateFactory(name="ours")
    content, delivery = of_whatsapp(wedding)
    delivery.request = {"body": CHANNELS["whatsapp"].compose(content, delivery).request.body}
    assert json.loads(delivery.request["body"])["template"]["name"] == "ours"

    CHANNELS["whatsapp"].failed(delivery, TemplateRefused("WhatsApp 132015"))

    row.refresh_from_db()
    same_name.refresh_from_db()
    assert (row.status, same_name.status) == ("paused", "approved")
    assert templates.template_for(content, delivery).name == "wedding_update_2"


FITTING = " {{1}}, there is news: {{2}} and the details are {{3}} for now"
REPLY = {"type": "quick_reply", "text": "Mine"}


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": "Our Update"}, "name"),
        ({"language": "German"}, "language"),
        ({"body": "Only {{1}}"}, "body"),
        ({"body": "{{1}} {{2}} {{2}}"}, "body"),
        ({"body": "x" * 990 + FITTING}, "body"),
        ({"body": "x" * 1025, "parameters": []}, "body"),
        ({"parameters": ["recipient", "headline", "password"]}, "parameters"),
        ({"parameters": "recipient"}, "parameters"),
        ({"buttons": [{"type": "url", "text": "Open"}] * 11}, "buttons"),
        ({"buttons": [{"type": "dance", "text": "Open"}]}, "buttons"),
        ({"buttons": [{"type": "url", "text": ""}]}, "buttons"),
        ({"buttons": [REPLY]}, "buttons"),
        ({"buttons": [{"type": ["url"], "text": "Open"}]}, "buttons"),
        ({"buttons": [{"type": "url", "text": "Open", "url": "\x00"}]}, "buttons"),
        ({"parameters": [["recipient"], {}, None]}, "parameters"),
        ({"purpose": "emergency"}, "buttons"),
        ({"status": "loved"}, "status"),
    ],
)
def test_a_template_that_is_not_metas_is_refused_at_its_field(
    house: Organization, changed: dict[str, Any], field: str
) -> None:
    row = WhatsAppTemplateFactory.build(organization=house, **changed)

    with pytest.raises(ValidationError) as refused:
        row.full_clean()

    assert set(refused.value.message_dict) == {field}


def test_a_fitting_template_is_taken_and_its_longest_parameter_gives_way(house: Organization) -> None:
    row = WhatsAppTemplateFactory.build(organization=house, purpose="emergency", buttons=[REPLY])
    row.body = "x" * 480 + FITTING
    row.full_clean()
    row.save()
    wedding = WeddingFactory(organization=house)
    content, delivery = of_whatsapp(wedding, priority="urgent")
    long = [wording.Fact("", "y" * 2000)]
    content = replace(content, asks=True, facts=tuple(long), headline="h" * 250)

    approved = templates.template_for(content, delivery)

    assert approved.name == row.name
    assert len(approved.text) <= 1024
    assert approved.parameters[1] == "h" * 250
    with pytest.raises(IntegrityError), transaction.atomic():
        WhatsAppTemplateFactory(organization=house, name=row.name)


@pytest.mark.django_db
@pytest.mark.parametrize("event_type", [CAPACITY, "venue.emergency_reported", "digest", "fallback", "ops.alert_raised"])
def test_a_preview_of_an_example_is_shown_on_every_channel_and_keeps_nothing(event_type: str) -> None:
    text = "Tried <b>{{ event.type }}</b>\nLabel: value"
    row = MessageTemplateFactory(event_type=event_type, text=text)

    found = list(previews.looks(row, previews.example_for(row)))

    assert [each.channel for each in found] == ["WhatsApp", "Slack", "Email"]
    assert [each.problem for each in found] == ["", "", ""]
    assert all("Tried" in each.text and "value" in each.text for each in found)
    assert "<b>" not in found[2].html
    assert "Tried" in found[2].html
    assert not Delivery.objects.exists()


@pytest.mark.django_db
def test_a_preview_of_anothers_event_is_refused() -> None:
    with pytest.raises(ValueError, match="another organization"):
        list(previews.looks(MessageTemplateFactory(), EventFactory()))


@pytest.mark.django_db
def test_a_preview_of_a_text_that_fails_says_why_instead_of_showing_the_shipped_words() -> None:
    row = MessageTemplateFactory(text="{{ payload.reason|number }}")
    wedding = WeddingFactory(organization=row.organization)
    event = EventFactory(
        organization=row.organization, wedding=wedding, type=CAPACITY, payload={"reason": "new tables"}
    )

    found = list(previews.looks(row, event))

    assert all("is no number" in each.problem and not each.text for each in found)


@pytest.mark.django_db
def test_a_digest_is_previewed_with_the_events_of_its_wedding_only() -> None:
    row = MessageTemplateFactory(event_type="digest", text="{{ count }} news")
    wedding = WeddingFactory(organization=row.organization)
    of_wedding = {"organization": row.organization, "type": CAPACITY, "payload": {"capacity": 1}}
    events = [EventFactory(**of_wedding, wedding=wedding) for _ in range(3)]
    EventFactory(**of_wedding, wedding=WeddingFactory(organization=row.organization))

    found = list(previews.looks(row, events[-1]))

    assert all("3 news" in each.text for each in found)
