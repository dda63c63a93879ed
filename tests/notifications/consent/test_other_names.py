"""People whom WhatsApp names in another way than we do: in another form of the number, or by an id without any."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from integrations.models import Delivery
from integrations.outbound import Response
from notifications import links
from notifications.channels.registry import CHANNELS
from notifications.consent import address_marks
from notifications.feedback import replies
from notifications.feedback.notices import Reply
from notifications.models import Incident
from tests.factories import AddressFactory, DeliveryFactory, MessageFactory
from tests.notifications.incidents.emergencies import Stage, set_stage
from tests.webhooks.callbacks import bodies
from tests.webhooks.callbacks.noticed import a_message, door_of, told
from webhooks.callbacks.applying import apply_waiting
from wedsync.queues import Priority
from wedsync.weddings.addresses import other_forms
from wedsync.weddings.models import Address, AddressAlias, ContactChannel

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 6, 19, 12, tzinfo=UTC)
FORMS = [
    ("+5511987654321", "551187654321"),  # Brazil, written to with the ninth digit
    ("+551187654321", "5511987654321"),
    ("+525512345678", "5215512345678"),  # Mexico
    ("+541123456789", "5491123456789"),  # Argentina
    ("+5491123456789", "541123456789"),
]
ELSEWHERE = [("+436601234567", "436609999999"), ("+12025550101", "12025550199")]
"""No rule of a country: only what the provider answered with tells that both are the same phone."""


def answered(delivery: Delivery, **contact: str) -> None:
    body = (
        b'{"contacts":[{%s}],"messages":[{"id":"wamid.1"}]}'
        % ",".join(f'"{name}":"{value}"' for name, value in contact.items()).encode()
    )
    CHANNELS["whatsapp"].answered(delivery, Response(200, {}, body))


def sent_to(row: Address) -> Delivery:
    made: Delivery = DeliveryFactory(organization=row.organization, channel="whatsapp", target=row.value)
    return made


def say(row: Address, text: str, at: datetime = NOON, **rest: Any) -> None:
    replies.apply(row.organization_id, Reply(ContactChannel.WHATSAPP, at=at, text=text, **{"sender": "", **rest}))


@pytest.mark.parametrize(("ours", "theirs"), [*FORMS, *ELSEWHERE])
@pytest.mark.parametrize("way", ["answer", "status"])
def test_stop_and_start_from_the_name_that_the_provider_told_count(ours: str, theirs: str, way: str) -> None:
    door = door_of("whatsapp")
    row = AddressFactory(organization=door.organization, value=ours)
    if way == "answer":
        answered(sent_to(row), wa_id=theirs)
    else:
        message = a_message(door)
        type(message).objects.filter(id=message.id).update(address=ours)
        told(door, bodies.statuses(bodies.status(recipient_id=theirs)))
        apply_waiting(door.id, Priority.HIGH)

    say(row, "STOP", sender=theirs)
    row.refresh_from_db()
    assert row.blocked_because == "opted_out"

    say(row, "START", NOON + timedelta(minutes=1), sender=theirs)
    row.refresh_from_db()
    assert row.blocked_because == ""


@pytest.mark.parametrize(("ours", "theirs"), FORMS)
def test_in_countries_with_two_forms_nothing_needs_to_have_been_sent(ours: str, theirs: str) -> None:
    row = AddressFactory(value=ours)

    say(row, "STOP", sender=theirs)

    row.refresh_from_db()
    assert row.blocked_because == "opted_out"


@pytest.mark.parametrize("number", ["+4366012345678", "+5511387654321", "+12025550101", "+52551234567", "+5511", ""])
def test_other_numbers_have_one_form(number: str) -> None:
    assert other_forms(number) == ()


@pytest.mark.parametrize(("ours", "theirs"), [*FORMS, *ELSEWHERE])
def test_a_stop_that_came_before_we_knew_the_name_counts_once_we_do(ours: str, theirs: str) -> None:
    row = AddressFactory(value=ours)
    Address.objects.create(organization=row.organization, channel="whatsapp", value=f"+{theirs}", opted_out_at=NOON)

    answered(sent_to(row), wa_id=theirs)

    row.refresh_from_db()
    assert row.opted_out_at == NOON
    assert row.changes.get(what="opted_out").by == f"STOP from +{theirs}"


def test_a_name_is_remembered_once_and_only_for_its_organization() -> None:
    mine, theirs = AddressFactory(value="+436601234567"), AddressFactory(value="+436601234567")
    for _ in range(2):
        answered(sent_to(mine), wa_id="436609999999", user_id="AT.1")

    say(theirs, "STOP", sender="436609999999")

    theirs.refresh_from_db()
    assert theirs.opted_out_at is None
    assert set(AddressAlias.objects.values_list("organization", "alias")) == {
        (mine.organization_id, "436609999999"),
        (mine.organization_id, "AT.1"),
    }


def test_the_usual_answer_costs_no_query(django_assert_num_queries: Any) -> None:
    row = AddressFactory(value="+436601234567")
    delivery = sent_to(row)

    with django_assert_num_queries(0):
        answered(delivery, wa_id="436601234567")


@pytest.mark.parametrize("body", [b"", b"[]", b'{"contacts":[]}', b'{"contacts":5}', b'{"contacts":[5]}', b"\xff"])
def test_an_answer_that_names_nobody_is_one_all_the_same(body: bytes) -> None:
    CHANNELS["whatsapp"].answered(sent_to(AddressFactory()), Response(200, {}, body))

    assert not AddressAlias.objects.exists()


def test_stop_of_a_person_with_a_user_name_counts_by_whatever_names_them() -> None:
    row = AddressFactory(value="+436601234567")
    delivery = sent_to(row)
    MessageFactory(
        organization=row.organization, delivery=delivery, channel="whatsapp", address=row.value, provider_id="wamid.7"
    )
    address_marks.known_as(row.organization_id, ContactChannel.WHATSAPP, row.value, ["AT.13491208655302741918"])
    ways: list[dict[str, str]] = [
        {"user_id": "AT.13491208655302741918"},
        {"answers": "wamid.7"},
        {"payload": links.acknowledge_token(delivery.id)},
    ]

    for way in ways:
        Address.objects.filter(id=row.id).update(opted_out_at=None)
        say(row, "STOP", **way)
        row.refresh_from_db()
        assert row.blocked_because == "opted_out", way


@pytest.fixture
def stage() -> Stage:
    made = set_stage()
    made.report()
    return made


@pytest.mark.parametrize("named", ["nowhere", "by from_user_id", "by contacts", "by a number that is a number"])
def test_a_quick_reply_with_our_token_acknowledges_without_from(stage: Stage, named: str) -> None:
    asked = Delivery.objects.get(contact=stage.tom, channel="whatsapp")
    door = door_of("whatsapp", asked.system)
    pressed = bodies.text_message(
        text="", type="button", button={"text": "I'll take care of it", "payload": links.acknowledge_token(asked.id)}
    )
    del pressed["from"]
    value: dict[str, Any] = {"messages": [pressed]}
    if named == "by from_user_id":
        pressed["from_user_id"] = "AT.1"
    elif named == "by contacts":
        value["contacts"] = [{"profile": {"username": "tom"}, "user_id": "AT.1"}]
    elif named == "by a number that is a number":
        pressed["from"] = int(stage.tom.phone[1:])

    told(door, bodies.whatsapp(bodies.messages(**value)))
    apply_waiting(door.id, Priority.URGENT)

    incident = Incident.objects.get(organization=stage.wedding.organization)
    assert (incident.state, incident.acknowledged_by) == ("acknowledged", stage.tom.name)
    assert Address.objects.get(value=stage.tom.phone, organization=stage.wedding.organization).last_inbound_at


def test_a_person_without_from_who_answers_nothing_of_ours_changes_nothing() -> None:
    door = door_of("whatsapp")
    said = bodies.text_message(text="STOP")
    del said["from"]

    (notice,) = told(door, bodies.whatsapp(bodies.messages(messages=[said])))
    apply_waiting(door.id, Priority.URGENT)

    assert not Address.objects.exists()
    notice.refresh_from_db()
    assert (bool(notice.taken_at), notice.taken_error) == (True, "")
