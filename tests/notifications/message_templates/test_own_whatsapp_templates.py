"""An organization's own templates at Meta: what is refused, and when each is used."""

import json
from dataclasses import replace
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from integrations.errors import TemplateRefused
from notifications import wording
from notifications.channels.registry import CHANNELS
from notifications.channels.whatsapp import filled_templates
from tests.factories import WeddingFactory, WhatsAppTemplateFactory
from tests.notifications.message_templates.told_by_whatsapp import of_whatsapp
from wedsync.weddings.models import Organization


@pytest.mark.django_db
def test_an_own_approved_template_stands_before_the_shipped_one_in_its_language() -> None:
    wedding = WeddingFactory(couple="Anna & Ben {{1}}", venue_name="Seehof")
    of_house = {"organization": wedding.organization}
    WhatsAppTemplateFactory(**of_house, name="ours", body="{{2}}: {{1}}", parameters=["venue", "couple"])
    WhatsAppTemplateFactory(**of_house, name="pending", status="pending", language="de")
    WhatsAppTemplateFactory(name="theirs", body="{{1}} {{2}} {{3}}", language="de")

    ours = filled_templates.template_for(*of_whatsapp(wedding))
    content, delivery = of_whatsapp(wedding)
    german = filled_templates.template_for(replace(content, language="de"), delivery)

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
    assert filled_templates.template_for(content, delivery).name == "wedding_update_2"


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

    approved = filled_templates.template_for(content, delivery)

    assert approved.name == row.name
    assert len(approved.text) <= 1024
    assert approved.parameters[1] == "h" * 250
    with pytest.raises(IntegrityError), transaction.atomic():
        WhatsAppTemplateFactory(organization=house, name=row.name)
