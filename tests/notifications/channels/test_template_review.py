"""Templates are such as Meta approves: the shipped ones, and whatever staff enter; approved ones go on meanwhile."""

import json
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import requests
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import connection

from notifications.channels.whatsapp import filled_templates
from notifications.channels.whatsapp.templates import EARLIER, SHIPPED
from notifications.models import WhatsAppTemplate
from notifications.rules import approved_templates
from notifications.wording.languages import LANGUAGES, vocabulary
from tests.factories import OrganizationFactory, SystemFactory, WeddingFactory, WhatsAppTemplateFactory
from tests.notifications.message_templates.told_by_whatsapp import of_whatsapp
from tests.sandbox.sandbox_peer import TOKEN, Peer, configuration, running

PARAMETERS = ("recipient", "headline", "details")
NAMES = {"wedding_update_2", "wedding_emergency_2", "wedding_emergency_info_2"}
GOOD = "Hello {{1}}, there is news about the wedding: {{2}}. The details are {{3}} as far as we know."
REFUSED = {
    "a variable first": "{{1}}, there is news about the wedding: {{2}}. The details are {{3}} for now.",
    "a variable behind an emoji": "🚨 {{1}}, there is news about the wedding: {{2}}. The details: {{3}} for now.",
    "a variable last": "Hello {{1}}, there is news about the wedding: {{2}}. The details are {{3}}",
    "a variable and a full stop last": "Hello {{1}}, there is news about the wedding: {{2}}. The details are {{3}}.",
    "a variable alone on its line": "Hello {{1}}, there is news about the wedding: {{2}}.\n\n{{3}}\n\nSent by us.",
    "a variable with marks alone on its line": "Hello {{1}}, news about the wedding: {{2}} it is.\n– {{3}}.\nBy us.",
    "two beside each other": "Hello {{1}} {{2}}, there is news about the wedding and here it is: {{3}} for now.",
    "two with a mark between": "Hello {{1}}, {{2}}: there is news about the wedding and it is {{3}} for now.",
    "too few words": "Hello {{1}}, it is {{2}} for {{3}} now",
    "broken braces": "Hello {{1}}, there is news about the wedding: {{2}} and {{ 3}} and more {{3}} to say.",
    "many line ends": "Hello {{1}}, there is news about the wedding: {{2}}.\n\n\nThe details are {{3}} for now.",
    "many spaces": "Hello {{1}}, there is news about the wedding: {{2}}.      The details are {{3}} for now.",
    "a tab": "Hello {{1}}, there is news about the wedding: {{2}}.\tThe details are {{3}} for now.",
}


@pytest.fixture(scope="module")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    home: Path = tmp_path_factory.mktemp("review")
    (home / "sandbox.json").write_text(json.dumps(configuration()))
    with running(home) as started:
        yield started


def submit(peer: Peer, template: dict[str, Any]) -> requests.Response:
    components: list[dict[str, Any]] = [{"type": "BODY", "text": template["body"]}]
    if buttons := template.get("buttons"):
        components.append({"type": "BUTTONS", "buttons": [{**each, "type": each["type"].upper()} for each in buttons]})
    said = {"name": template["name"], "language": template["language"], "category": "UTILITY", "components": components}
    return requests.post(
        f"{peer.url}/whatsapp/v26.0/102290129340398/message_templates",
        json=said,
        headers={"Authorization": f"Bearer {TOKEN}"},
        timeout=10,
    )


def test_every_shipped_template_passes_our_check_and_the_review(peer: Peer) -> None:
    for template in SHIPPED:
        approved_templates.check_body(template["body"], PARAMETERS)
        answer = submit(peer, template)
        assert (answer.status_code, answer.json().get("status")) == (200, "APPROVED"), (template, answer.text)

    assert {(each["name"], each["language"]) for each in SHIPPED} == {
        (name, language) for name in NAMES for language in LANGUAGES
    }


@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED)
def test_what_meta_refuses_is_refused_by_our_check_and_by_the_sandbox(peer: Peer, body: str) -> None:
    with pytest.raises(ValueError, match="Meta|placeholder"):
        approved_templates.check_body(body, PARAMETERS)
    answer = submit(peer, {"name": "refused", "language": "en", "body": body})
    assert answer.status_code == 400
    assert answer.json()["error"]["error_user_title"]


def test_a_duplicate_is_refused_by_the_sandbox(peer: Peer) -> None:
    assert submit(peer, {"name": "first", "language": "en", "body": GOOD}).status_code == 200
    assert submit(peer, {"name": "first", "language": "en", "body": f"{GOOD} Again."}).status_code == 400
    assert submit(peer, {"name": "second", "language": "en", "body": GOOD}).status_code == 400


@pytest.mark.parametrize("text", ["I'll take care 🙂", "{{1}}", "Yes\nplease", "*Yes*"])
def test_a_buttons_text_that_meta_refuses_is_refused(peer: Peer, text: str) -> None:
    buttons = [{"type": "quick_reply", "text": text}]

    with pytest.raises(ValueError, match="button"):
        approved_templates.check_buttons(buttons, asks=True)
    answer = submit(peer, {"name": "button", "language": "en", "body": f"{GOOD} {text}", "buttons": buttons})
    assert answer.status_code == 400


@pytest.mark.parametrize("language", LANGUAGES)
def test_one_sentence_acknowledges_on_every_channel(language: str) -> None:
    said = vocabulary(language)["layout"]["acknowledge"]

    (template,) = [each for each in SHIPPED if each["name"] == "wedding_emergency_2" and each["language"] == language]
    assert [button["text"] for button in template["buttons"]] == [said]
    assert len(said) <= approved_templates.LONGEST_BUTTON


@pytest.mark.django_db
@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED)
def test_staff_enter_no_template_that_meta_refuses_and_one_that_it_has_approved_stays(body: str) -> None:
    row = WhatsAppTemplateFactory.build(organization=OrganizationFactory(), body=body)
    with pytest.raises(ValidationError) as refused:
        row.full_clean()
    assert set(refused.value.message_dict) == {"body"}

    approved = WhatsAppTemplateFactory(body=body, status="approved")
    approved.status = "paused"
    approved.full_clean()


def migrate() -> None:
    import_module("notifications.migrations.0009_templates_approved_before").keep(apps, connection.schema_editor())


@pytest.mark.django_db
def test_approved_templates_go_on_under_their_names_until_the_new_ones_are_approved() -> None:
    wedding = WeddingFactory()
    SystemFactory(organization=wedding.organization, kind="whatsapp")
    content, delivery = of_whatsapp(wedding)
    for _ in range(2):
        migrate()

    rows = WhatsAppTemplate.objects.filter(organization=wedding.organization)
    assert rows.count() == len(EARLIER) + len(SHIPPED)
    used = filled_templates.template_for(content, delivery)
    assert used.name == "wedding_update"

    rows.filter(name="wedding_update_2", language="en").update(status="approved")
    assert filled_templates.template_for(content, delivery).name == "wedding_update_2"

    rows.filter(name="wedding_update_2", language="en").update(status="paused")
    assert filled_templates.template_for(content, delivery).name == "wedding_update"
    rows.filter(name="wedding_update", language="en").update(status="paused")
    assert filled_templates.template_for(content, delivery).name == "wedding_update_2", "the shipped one"


@pytest.mark.django_db
def test_an_organizations_own_templates_stay_before_all_and_others_get_nothing() -> None:
    wedding = WeddingFactory()
    SystemFactory(organization=wedding.organization, kind="whatsapp")
    SystemFactory(kind="slack")
    WhatsAppTemplateFactory(organization=wedding.organization, name="ours", language="en")

    migrate()

    assert filled_templates.template_for(*of_whatsapp(wedding)).name == "ours"
    assert set(WhatsAppTemplate.objects.values_list("organization", flat=True)) == {wedding.organization_id}
    assert not WhatsAppTemplate.objects.filter(name__startswith="wedding_update", language="en").exists()


@pytest.mark.django_db
def test_a_new_organization_uses_the_shipped_ones_of_today() -> None:
    assert filled_templates.template_for(*of_whatsapp(WeddingFactory())).name == "wedding_update_2"
