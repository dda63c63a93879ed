"""How an organization's words would look, before they are used."""

import pytest

from integrations.models import Delivery
from notifications.message_templates import previews
from tests.factories import EventFactory, MessageTemplateFactory, WeddingFactory
from tests.notifications.message_templates.told_by_whatsapp import CAPACITY


@pytest.mark.django_db
@pytest.mark.parametrize("event_type", [CAPACITY, "venue.emergency_reported", "digest", "fallback", "ops.alert_raised"])
def test_a_preview_of_an_example_is_shown_on_every_channel_and_keeps_nothing(event_type: str) -> None:
    text = "Tried <b>{{ event.type }}</b>\nLabel: value"
    row = MessageTemplateFactory(event_type=event_type, text=text)

    found = list(previews.looks(row, previews.example_for(row)))

    assert [each.channel for each in found] == ["WhatsApp", "Slack", "Email", "SMS", "Web Push"]
    assert [each.problem for each in found] == [""] * len(found)
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

    assert all("is not a number" in each.problem and not each.text for each in found)


@pytest.mark.django_db
def test_a_digest_is_previewed_with_the_events_of_its_wedding_only() -> None:
    row = MessageTemplateFactory(event_type="digest", text="{{ count }} news")
    wedding = WeddingFactory(organization=row.organization)
    of_wedding = {"organization": row.organization, "type": CAPACITY, "payload": {"capacity": 1}}
    events = [EventFactory(**of_wedding, wedding=wedding) for _ in range(3)]
    EventFactory(**of_wedding, wedding=WeddingFactory(organization=row.organization))

    found = list(previews.looks(row, events[-1]))

    assert all("3 news" in each.text for each in found)
