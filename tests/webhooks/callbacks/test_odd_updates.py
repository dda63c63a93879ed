"""One odd update in a callback drops none of the others, and is itself kept, cleaned of what cannot be stored."""

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest

from integrations.models import Delivery, System
from notifications import links
from notifications.models import Incident
from tests.notifications.incidents.emergencies import set_stage
from tests.webhooks.callbacks import bodies
from tests.webhooks.callbacks.noticed import EMAIL_ID, PHONE, a_message, door_of, now_of, row, told
from webhooks.callbacks import PROVIDERS
from webhooks.callbacks.applying import apply_waiting
from webhooks.models import ProviderNotice
from wedsync.queues import Priority
from wedsync.weddings.models import Address

NOW = datetime(2026, 6, 19, tzinfo=UTC)
URGENT, HIGH = Priority.URGENT, Priority.HIGH
HERE = "HERE"
ODD_TEXTS = {
    "NUL": rb"\u0000",
    "the first half of an emoji": rb"\ud83c",
    "the second half of an emoji": rb"\udf89",
    "halves in the wrong order": rb"\udf89\ud83c",
    "bytes of half an emoji": b"\xed\xa0\xbc",
    "bytes that are no UTF-8": b"\xff\xfe",
    "a raw NUL": b"\x00",
    "a raw line end": b"\n",
}
ODD_VALUES = {
    "a number that is none": b"NaN",
    "a number without end": b"1e999",
    "more digits than any number": b"9" * 5000,
    "depths": b"[" * 200 + b"]" * 200,
    "the same key twice": b'{"body":1,"body":2}',
    "a list": b"[]",
    "null": b"null",
}
ODD: dict[str, bytes] = {name: b'"a' + text + b'b"' for name, text in ODD_TEXTS.items()} | ODD_VALUES
PLACES = [("text", "body"), ("from",), ("type",), ("timestamp",), ("context", "id"), ("id",), ("new_of_metas",)]


def with_odd(message: dict[str, Any], place: tuple[str, ...], odd: bytes) -> bytes:
    """A callback of this message and of somebody else's STOP, the odd bytes at a place of the first."""
    inner: Any = HERE
    for name in reversed(place):
        inner = {name: inner}
    stop = bodies.text_message("wamid.stop", "STOP")
    body = bodies.whatsapp(bodies.messages(messages=[message | inner, stop]))
    return body.replace(f'"{HERE}"'.encode(), odd)


@pytest.mark.django_db
@pytest.mark.parametrize("place", PLACES, ids=".".join)
@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_somebody_elses_stop_counts_whatever_the_other_message_holds(place: tuple[str, ...], odd: bytes) -> None:
    door = door_of("whatsapp")
    other = bodies.text_message("wamid.other") | {"from": "436601234567"}

    notices = told(door, with_odd(other, place, odd))
    apply_waiting(door.id, URGENT)
    apply_waiting(door.id, HIGH)

    assert len(notices) == 2
    assert Address.objects.get(organization=door.organization, value=PHONE).blocked_because == "opted_out"
    assert all(row(notice).taken_at and not row(notice).taken_error for notice in notices)


@pytest.mark.django_db
@pytest.mark.parametrize("odd", ODD_TEXTS.values(), ids=ODD_TEXTS)
def test_a_word_that_ends_messages_counts_with_half_an_emoji_behind_it(odd: bytes) -> None:
    door = door_of("whatsapp")
    said = bodies.text_message(text=f"STOP {HERE}")

    told(door, bodies.whatsapp(bodies.messages(messages=[said])).replace(HERE.encode(), odd))
    apply_waiting(door.id, URGENT)

    assert Address.objects.get(value=PHONE).blocked_because == "opted_out"


@pytest.mark.django_db
@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_a_status_counts_whatever_another_one_holds(odd: bytes) -> None:
    door = door_of("whatsapp")
    message = a_message(door)
    body = bodies.statuses(bodies.status("wamid.other", conversation=HERE), bodies.status(name="read"))

    told(door, body.replace(f'"{HERE}"'.encode(), odd))
    apply_waiting(door.id, HIGH)

    assert now_of(message).status == "read"


@pytest.mark.parametrize("odd", [1, "x", [], [1], {"changes": 5}, {"changes": ["x"]}, {"changes": [{"field": 7}]}])
def test_an_entry_that_is_none_drops_no_other_entry(odd: object) -> None:
    good = {"id": "1", "changes": [bodies.messages(statuses=[bodies.status()])]}

    for entries in ([odd, good], [good, odd]):
        found = PROVIDERS["whatsapp"].read({}, json.dumps({"entry": entries}).encode(), NOW)
        assert [notice.name for notice in found if notice.kind == ProviderNotice.Kind.STATUS] == ["delivered"]


@pytest.mark.django_db
@pytest.mark.parametrize("odd", ODD_TEXTS.values(), ids=ODD_TEXTS)
def test_a_button_in_slack_counts_whatever_its_presser_is_called(odd: bytes) -> None:
    stage = set_stage()
    stage.report()
    door = door_of("slack", System.objects.get(organization=stage.wedding.organization, kind="slack"))
    asked = Delivery.objects.get(organization=stage.wedding.organization, channel="slack")
    pressed = {"action_id": "acknowledge", "value": links.acknowledge_token(asked.id)}
    body = bodies.slack(user={"id": "U1", "username": f"clara{HERE}"}, actions=[pressed])

    told(door, body.replace(HERE.encode(), quote(odd).encode()))
    apply_waiting(door.id, URGENT)

    incident = Incident.objects.get(organization=stage.wedding.organization)
    assert (incident.state, incident.acknowledged_by[:5]) == ("acknowledged", "clara")


@pytest.mark.django_db
@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_a_bounce_counts_whatever_the_mail_was_about(odd: bytes) -> None:
    door = door_of("email")
    message = a_message(door, EMAIL_ID)
    body = bodies.resend("email.bounced", subject=HERE, bounce={"type": "Permanent", "message": "No such box"})

    told(door, body.replace(f'"{HERE}"'.encode(), odd))
    apply_waiting(door.id, HIGH)

    assert now_of(message).bounced_at
