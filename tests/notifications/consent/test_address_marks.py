"""What stops a channel, and what lets it go on: each mark ends by its own way, and by no other."""

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from django.test import Client

from notifications import links
from notifications.consent import address_marks, staff_decisions
from notifications.feedback import replies
from notifications.feedback.notices import Reply
from tests.factories import AddressFactory
from tests.notifications.channels.mails import delivery
from tests.webhooks.callbacks import bodies
from tests.webhooks.callbacks.noticed import MAIL, door_of, told
from webhooks.callbacks.applying import apply_waiting
from wedsync.queues import Priority
from wedsync.weddings.models import Address, ContactChannel

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 6, 19, 12, tzinfo=UTC)
PHONE = "+436601234567"
MARKS = ("bounced_at", "opted_out_at", "complained_at")


def marked(row: Address) -> set[str]:
    row.refresh_from_db()
    return {name for name in MARKS if getattr(row, name)}


def with_every_mark(**rest: Any) -> Address:
    made: Address = AddressFactory(
        **{"value": PHONE, **rest}, **dict.fromkeys(MARKS, NOON), bounce_reason="No such number"
    )
    return made


def say(row: Address, text: str, minutes: int = 5) -> None:
    sender = row.value.lstrip("+")
    replies.apply(
        row.organization_id, Reply(ContactChannel.WHATSAPP, sender, at=NOON + timedelta(minutes=minutes), text=text)
    )


def test_a_message_lifts_the_bounce_of_that_address_on_that_channel_and_nothing_else() -> None:
    row = with_every_mark()
    others = [
        with_every_mark(organization=row.organization, value="+436609999999"),
        with_every_mark(organization=row.organization, channel="email", value=MAIL),
        with_every_mark(),
    ]

    say(row, "Is the hall dry?")

    assert marked(row) == {"opted_out_at", "complained_at"}
    assert [marked(other) for other in others] == [set(MARKS)] * 3
    assert [(change.what, change.by) for change in row.changes.all()] == [("bounce_lifted", "the person")]


def test_an_email_lifts_the_bounce_of_its_sender() -> None:
    door = door_of("email")
    row = with_every_mark(organization=door.organization, channel="email", value=MAIL)
    Address.objects.filter(id=row.id).update(bounced_at=datetime(2026, 6, 19, 9, tzinfo=UTC))

    told(door, bodies.resend("email.received", **{"from": f"Anna <{MAIL.upper()}>"}))
    told(door, bodies.resend("email.received", **{"from": "Stranger <stranger@people.example>"}))
    apply_waiting(door.id, Priority.URGENT)

    assert marked(row) == {"opted_out_at", "complained_at"}
    assert Address.objects.filter(organization=door.organization).count() == 1, "strangers leave no row"


def test_start_ends_an_opt_out_and_no_complaint() -> None:
    row = with_every_mark()

    say(row, "START")

    assert marked(row) == {"complained_at"}


def test_the_persons_own_page_ends_an_opt_out_and_no_complaint() -> None:
    mail = delivery()
    row = with_every_mark(organization=mail.organization, channel="email", value=mail.target)

    Client().post(f"/unsubscribe/{links.unsubscribe_token(mail.id)}/", {"do": "take_all"})

    assert marked(row) == {"bounced_at", "complained_at"}
    assert [(change.what, change.by) for change in row.changes.all()] == [
        ("opted_in", "the person, by the mail's link")
    ]


@pytest.mark.parametrize(
    ("verb", "left"),
    [
        (staff_decisions.end_opt_out, {"bounced_at", "complained_at"}),
        (staff_decisions.lift_bounce, {"opted_out_at", "complained_at"}),
        (staff_decisions.lift_complaint, {"bounced_at", "opted_out_at"}),
    ],
)
def test_staff_end_one_mark_at_a_time_with_a_reason(verb: Any, left: set[str]) -> None:
    row = with_every_mark()

    with pytest.raises(staff_decisions.NoReason):
        verb(row, by="clara", reason="  ")
    assert verb(row, by="clara", reason="told us on the phone")
    assert not verb(row, by="clara", reason="again")

    assert marked(row) == left
    assert [(change.by, change.reason) for change in row.changes.all()] == [("clara", "told us on the phone")]


@pytest.mark.parametrize("bounced_after", [True, False])
def test_of_a_bounce_and_a_message_the_later_counts_in_whatever_order_they_come(bounced_after: bool) -> None:
    """Callbacks come late: what was said before the message says nothing of the address now."""
    bounce_at = NOON + timedelta(minutes=10 if bounced_after else -10)

    def bounce(row: Address) -> None:
        address_marks.bounced(row.organization_id, ContactChannel.WHATSAPP, row.value, bounce_at, "No such number")

    def message(row: Address) -> None:
        address_marks.wrote(row.organization_id, ContactChannel.WHATSAPP, row.value, NOON)

    for order in permutations((bounce, message)):
        row = AddressFactory(value=PHONE)
        for happens in [*order, order[0]]:
            happens(row)
        assert marked(row) == ({"bounced_at"} if bounced_after else set()), order
