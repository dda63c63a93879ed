"""From a stored notice to its effect: each once, in its time, within its organization, and blocked by no other."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.utils import timezone

from integrations.models import Connection, Delivery, System
from notifications import links
from notifications.models import Incident, Message, TraceEntry
from tests.at_once import at_once
from tests.factories import ConnectionFactory, DeliveryFactory, MessageFactory, NoticeFactory, SystemFactory
from tests.notifications.emergencies import set_stage
from tests.webhooks.callbacks import bodies
from webhooks.callbacks import PROVIDERS
from webhooks.callbacks.taking import MOST_FAILURES, queue_of, take, take_left, take_one
from webhooks.models import ProviderNotice
from webhooks.tasks import take as take_task
from wedsync.queues import Priority
from wedsync.weddings.models import Address

pytestmark = pytest.mark.django_db
URGENT, HIGH = Priority.URGENT, Priority.HIGH
PHONE, MAIL = "+16505551234", "anna@people.example"
EMAIL_ID = "49a3999c-0ce1-4ea6-ab68-afcd6dc2e794"
SENT_AT = datetime.fromtimestamp(1750857384, UTC)
PROVIDER = {"whatsapp": "whatsapp", "email": "resend", "slack": "slack"}


def door_of(kind: str, system: System | None = None) -> Connection:
    system = system or SystemFactory(kind=kind)
    made: Connection = ConnectionFactory(organization=system.organization, system=system)
    return made


def a_message(door: Connection, provider_id: str = "wamid.1", **rest: Any) -> Message:
    channel = door.system.kind
    address = PHONE if channel == "whatsapp" else MAIL
    delivery = DeliveryFactory(organization=door.organization, system=door.system, channel=channel, target=address)
    made: Message = MessageFactory(
        organization=door.organization,
        delivery=delivery,
        channel=channel,
        address=address,
        provider_id=provider_id,
        **rest,
    )
    return made


def told(door: Connection, body: bytes, **rest: Any) -> list[ProviderNotice]:
    """What the provider's own body is read as, stored."""
    headers = {"svix-id": ["msg_1"]}
    return [
        NoticeFactory(
            organization=door.organization,
            connection=door,
            kind=each.kind,
            name=each.name,
            provider_id=each.provider_id,
            occurred_at=each.occurred_at,
            data=each.data,
            **rest,
        )
        for each in PROVIDERS[PROVIDER[door.system.kind]].read(headers, body, timezone.now())
    ]


def row(notice: ProviderNotice) -> ProviderNotice:
    return ProviderNotice.objects.get(id=notice.id)


def now_of(message: Message) -> Message:
    return Message.objects.get(id=message.id)


def address(message: Message) -> Address:
    return Address.objects.get(organization=message.organization, channel=message.channel, value=message.address)


def make_old(notice: ProviderNotice, **ago: float) -> None:
    """As if it had come so long ago, and were due."""
    rows = ProviderNotice.objects.filter(id=notice.id)
    rows.update(received_at=timezone.now() - timedelta(**ago))
    rows.exclude(take_after=None).update(take_after=timezone.now() - timedelta(seconds=1))


def test_people_go_before_machines() -> None:
    assert {kind: queue_of(kind) for kind in ProviderNotice.Kind.values} == {
        "status": HIGH,
        "message": URGENT,
        "interaction": URGENT,
        "other": HIGH,
    }


def test_statuses_move_their_message_and_are_done() -> None:
    door = door_of("whatsapp")
    message = a_message(door)
    notices = told(door, bodies.statuses(bodies.status(name="read", at=1750857390), bodies.status(name="delivered")))

    assert take(door.id, URGENT) == 0
    assert now_of(message).status == "queued"
    assert take(door.id, HIGH) == 2
    assert take(door.id, HIGH) == 0

    message = now_of(message)
    assert (message.status, message.delivered_at) == ("read", SENT_AT)
    assert all(row(notice).taken_at and not row(notice).taken_error for notice in notices)
    assert TraceEntry.objects.filter(delivery=message.delivery).count() == 2


def test_the_task_takes_and_taken_twice_it_does_nothing_more() -> None:
    door = door_of("whatsapp")
    message = a_message(door)
    told(door, bodies.statuses(bodies.status()))

    for _ in range(2):
        take_task(door.id, "high")

    assert now_of(message).status == "delivered"
    assert TraceEntry.objects.filter(delivery=message.delivery).count() == 1


def test_a_status_that_repeats_our_id_needs_no_noted_answer() -> None:
    door = door_of("whatsapp")
    message = a_message(door, provider_id="")
    told(door, bodies.statuses(bodies.status("wamid.9", biz_opaque_callback_data=str(message.delivery_id))))

    take(door.id, HIGH)

    assert (now_of(message).status, now_of(message).provider_id) == ("delivered", "wamid.9")


def test_a_status_waits_for_the_answer_of_its_send() -> None:
    door = door_of("whatsapp")
    message = a_message(door, provider_id="")
    (notice,) = told(door, bodies.statuses(bodies.status()))

    take(door.id, HIGH)
    waiting = row(notice)
    assert waiting.taken_at is None
    assert waiting.take_after
    assert timedelta(seconds=0.5) < waiting.take_after - waiting.received_at < timedelta(seconds=60)
    assert not take_one(notice.id)

    Message.objects.filter(id=message.id).update(provider_id="wamid.1")
    make_old(notice, seconds=5)
    assert take_left() == 1

    assert now_of(message).status == "delivered"
    assert row(notice).taken_at
    assert row(notice).take_after is None


@pytest.mark.parametrize(("age", "pause"), [(0, 1), (20, 20), (500, 60)])
def test_it_waits_longer_the_older_it_is_and_at_most_a_minute(age: int, pause: int) -> None:
    door = door_of("whatsapp")
    (notice,) = told(door, bodies.statuses(bodies.status()))
    make_old(notice, seconds=age)

    take_one(notice.id)

    with database.cursor() as cursor:
        cursor.execute("SELECT take_after - now() FROM webhooks_providernotice WHERE id = %s", [notice.id])
        (wait,) = cursor.fetchone()
    assert timedelta(seconds=pause) <= wait < timedelta(seconds=pause + 5)


def test_a_message_that_is_not_ours_is_given_up_after_ten_minutes() -> None:
    door = door_of("whatsapp")
    (notice,) = told(door, bodies.statuses(bodies.status("wamid.of.others")))
    take_one(notice.id)
    make_old(notice, seconds=599)
    take_one(notice.id)
    assert row(notice).taken_at is None

    make_old(notice, seconds=601)
    take_one(notice.id)

    assert row(notice).taken_at
    assert row(notice).taken_error == "no message of ours has this id"
    assert take_left() == 0


@pytest.fixture
def breaking() -> None:
    """The database refuses one certain text, before any row stands in the test's transaction."""
    with database.cursor() as cursor:
        cursor.execute("ALTER TABLE notifications_traceentry ADD CONSTRAINT broken CHECK (text NOT LIKE '%refuse me%')")


def test_a_broken_notice_is_given_up_after_five_failures_and_blocks_nobody(breaking: None) -> None:
    door = door_of("whatsapp")
    broken, whole = a_message(door), a_message(door, "wamid.2")
    failed = bodies.status(name="failed", errors=[{"code": 1, "title": "refuse me"}])
    (notice, _) = told(door, bodies.statuses(failed, bodies.status("wamid.2")))

    assert take(door.id, HIGH) == 2
    assert now_of(whole).status == "delivered"
    assert (row(notice).take_failures, row(notice).taken_at) == (1, None)
    assert now_of(broken).status == "queued", "what it had done before it broke is undone"
    assert not take_one(notice.id), "not before its time"

    for failures in range(2, MOST_FAILURES + 1):
        make_old(notice, seconds=30)
        assert take_left() == 1
        assert row(notice).take_failures == failures

    assert row(notice).taken_at
    assert row(notice).taken_error == "IntegrityError"
    assert take_left() == 0
    assert now_of(broken).status == "queued"


def test_what_a_lost_hint_has_left_is_found_and_what_is_new_is_left_to_its_task() -> None:
    door = door_of("whatsapp")
    message = a_message(door)
    (old, new) = told(door, bodies.statuses(bodies.status(name="sent"), bodies.status(name="read")))
    make_old(old, hours=1)

    assert take_left() == 1

    assert now_of(message).status == "sent"
    assert row(new).taken_at is None


def test_many_are_taken_by_one_task() -> None:
    door = door_of("whatsapp")
    message = a_message(door)
    told(door, bodies.statuses(*[bodies.status(at=1750857384 + number) for number in range(230)]))

    assert take(door.id, HIGH) == 230

    assert now_of(message).delivered_at == SENT_AT
    assert not ProviderNotice.objects.filter(taken_at=None).exists()


def test_of_another_connection_nothing_is_taken() -> None:
    door, other = door_of("whatsapp"), door_of("whatsapp")
    message = a_message(door)
    told(door, bodies.statuses(bodies.status()))

    assert take(other.id, HIGH) == 0

    assert now_of(message).status == "queued"


def test_another_organizations_notice_touches_no_message_and_no_address_here() -> None:
    door, other = door_of("whatsapp"), door_of("whatsapp")
    message = a_message(door)
    failed = bodies.status(name="failed", errors=[{"code": 131050}], biz_opaque_callback_data=str(message.delivery_id))
    said = bodies.text_message(text="STOP", context={"id": "wamid.1"})
    told(other, bodies.whatsapp(bodies.messages(statuses=[failed], messages=[said])))

    take(other.id, HIGH)
    take(other.id, URGENT)

    assert now_of(message).status == "queued"
    assert not Address.objects.filter(organization=door.organization).exists()
    assert Address.objects.get().organization == other.organization


@pytest.mark.parametrize(
    ("code", "marked"),
    [(131026, "bounced_at"), (131050, "opted_out_at"), (131047, "window_closed_at"), (131000, ""), ("x", "")],
)
def test_metas_codes_mark_the_address(code: object, marked: str) -> None:
    door = door_of("whatsapp")
    message = a_message(door)
    errors = [{"code": code, "title": "Title", "error_data": {"details": "Details of it"}}]
    told(door, bodies.statuses(bodies.status(name="failed", errors=errors)))

    take(door.id, HIGH)

    message = now_of(message)
    why = "WhatsApp gives no reason" if code == "x" else f"WhatsApp {code}"
    assert (message.status, message.failure) == ("failed", f"{why}: Details of it")
    fields = {"bounced_at", "opted_out_at", "window_closed_at"}
    if not marked:
        assert not Address.objects.exists()
        return
    found = address(message)
    assert {name: getattr(found, name) for name in fields} == dict.fromkeys(fields) | {marked: SENT_AT}


@pytest.mark.parametrize("errors", [None, [], {}, "x", [1], [{"code": None}], [{"code": [1]}], [{"error_data": 1}]])
def test_a_failure_without_a_reason_is_one_all_the_same(errors: object) -> None:
    door = door_of("whatsapp")
    message = a_message(door)
    told(door, bodies.statuses(bodies.status(name="failed", errors=errors)))

    take(door.id, HIGH)

    assert (now_of(message).status, now_of(message).failure) == ("failed", "WhatsApp gives no reason")


def test_a_providers_clock_that_is_ahead_counts_as_ours() -> None:
    door = door_of("whatsapp")
    message = a_message(door)
    (notice,) = told(door, bodies.statuses(bodies.status(at=4_000_000_000)))

    take(door.id, HIGH)

    assert now_of(message).delivered_at == row(notice).received_at


@pytest.mark.parametrize(
    ("name", "data", "status", "marks", "failure"),
    [
        ("email.sent", {}, "sent", set(), ""),
        ("email.delivered", {}, "delivered", set(), ""),
        ("email.opened", {}, "read", set(), ""),
        ("email.clicked", {"click": {"link": "https://x.example"}}, "read", set(), ""),
        (
            "email.bounced",
            {"bounce": {"type": "Permanent", "subType": "General", "message": "No such box"}},
            "failed",
            {"bounced_at"},
            "bounced General: No such box",
        ),
        ("email.bounced", {"bounce": {"type": "Transient", "message": "Box is full"}}, "queued", set(), ""),
        ("email.complained", {}, "queued", {"complained_at"}, ""),
        ("email.delivery_delayed", {}, "queued", set(), ""),
        (
            "email.suppressed",
            {"suppressed": {"message": "Bounced before", "type": "OnAccountSuppressionList"}},
            "failed",
            {"bounced_at"},
            "suppressed: Bounced before",
        ),
        ("email.failed", {"failed": {"reason": "reached_daily_quota"}}, "failed", set(), "failed: reached_daily_quota"),
        ("email.scheduled", {}, "queued", set(), ""),
    ],
)
def test_resends_events(name: str, data: dict[str, Any], status: str, marks: set[str], failure: str) -> None:
    door = door_of("email")
    message = a_message(door, EMAIL_ID)
    (notice,) = told(door, bodies.resend(name, **data), received_at=timezone.now())

    take(door.id, HIGH)

    message = now_of(message)
    assert (message.status, message.failure) == (status, failure)
    for field in ("bounced_at", "complained_at"):
        assert bool(getattr(message, field)) == (field in marks)
        assert Address.objects.filter(value=MAIL, **{f"{field}__isnull": False}).exists() == (field in marks)
    assert row(notice).taken_at
    assert not row(notice).taken_error


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"name": "email.bounced", "bounce": {"type": "Transient", "message": "Full"}}, "bounced: Full (not for good)"),
        ({"name": "email.delivery_delayed"}, "delivery is delayed, and is tried further"),
    ],
)
def test_what_does_not_end_a_mail_is_traced_for_staff(body: dict[str, Any], text: str) -> None:
    door = door_of("email")
    message = a_message(door, EMAIL_ID)
    told(door, bodies.resend(**body))

    take(door.id, HIGH)

    assert TraceEntry.objects.get(delivery=message.delivery).text == f"Email: {text}."


def test_a_received_mail_and_what_has_no_word_are_done_without_effect() -> None:
    mail, phone = door_of("email"), door_of("whatsapp")
    notices = told(mail, bodies.resend("email.received", **{"from": MAIL}))
    notices += told(phone, bodies.whatsapp({"field": "account_update", "value": {"event": "x"}}))
    notices += told(phone, bodies.statuses(bodies.status(name="warning")))

    assert [take_one(notice.id) for notice in notices] == [True] * 3

    assert all(row(notice).taken_at and not row(notice).taken_error for notice in notices)


def test_stop_and_start_by_whatsapp() -> None:
    door = door_of("whatsapp")

    def say(words: str, at: int, **more: Any) -> Address:
        said = bodies.text_message(f"wamid.{at}", words, timestamp=str(at), **more)
        told(door, bodies.whatsapp(bodies.messages(messages=[said])))
        take(door.id, URGENT)
        return Address.objects.get(organization=door.organization, value=PHONE)

    assert say("STOP", 1750857390).blocked_because == "opted_out"
    assert say("start", 1750857380).blocked_because == "opted_out"
    assert say("start", 1750857399).blocked_because == ""
    button = {"button": {"text": "Stop", "payload": "Stop"}}
    assert say("", 1750857400, type="button", **button).blocked_because == "opted_out"


def test_whatsapps_own_messages_are_no_persons() -> None:
    door = door_of("whatsapp")
    told(door, bodies.whatsapp(bodies.messages(messages=[bodies.text_message(text="STOP", type="system")])))

    assert take(door.id, URGENT) == 1

    assert not Address.objects.exists()


def quick_reply(token: str) -> dict[str, Any]:
    return bodies.text_message(text="", type="button", button={"text": "I take care of it", "payload": token})


@pytest.mark.parametrize("where", ["here", "elsewhere"])
@pytest.mark.parametrize("kind", ["whatsapp", "slack"])
def test_a_pressed_button_acknowledges_within_its_organization(kind: str, where: str) -> None:
    stage = set_stage()
    stage.report()
    here = System.objects.get(organization=stage.wedding.organization, kind=kind)
    door = door_of(kind, here if where == "here" else None)
    asked = Delivery.objects.filter(organization=stage.wedding.organization, channel=kind).order_by("id").first()
    assert asked
    token = links.acknowledge_token(asked.id)
    body: dict[str, Callable[[], bytes]] = {
        "whatsapp": lambda: bodies.whatsapp(bodies.messages(messages=[quick_reply(token)])),
        "slack": lambda: bodies.slack(
            actions=[{"action_id": "other", "value": "x"}, {"action_id": "acknowledge", "value": token}]
        ),
    }
    told(door, body[kind]())

    assert take(door.id, URGENT) == 1

    incident = Incident.objects.get(organization=stage.wedding.organization)
    by = {"whatsapp": (PHONE, "WhatsApp"), "slack": ("clara", "Slack")}[kind]
    expected = ("acknowledged", *by) if where == "here" else ("open", "", "")
    assert (incident.state, incident.acknowledged_by, incident.acknowledged_via) == expected


def test_slacks_strange_presses_do_nothing() -> None:
    door = door_of("slack")
    for number, actions in enumerate([None, {}, ["x"], [{"action_id": "acknowledge", "value": 5}], []]):
        told(door, bodies.slack(actions=actions, number=number))

    assert take(door.id, URGENT) == 5

    assert not ProviderNotice.objects.filter(taken_at=None).exists()
    assert not ProviderNotice.objects.exclude(taken_error="").exists()


@pytest.mark.django_db(transaction=True)
def test_takers_at_once_take_each_once() -> None:
    door = door_of("whatsapp")
    messages = [a_message(door, f"wamid.{number}") for number in range(6)]
    names = ("sent", "delivered", "read")
    told(door, bodies.statuses(*[bodies.status(each.provider_id, name) for each in messages for name in names]))

    counts = at_once(4, lambda _: take(door.id, HIGH))

    assert sum(counts) == 18
    assert {now_of(message).status for message in messages} == {"read"}
    assert TraceEntry.objects.filter(what="status").count() == 18
    assert not ProviderNotice.objects.filter(taken_at=None).exists()


@pytest.mark.django_db(transaction=True)
def test_stops_and_starts_at_once_leave_the_newest() -> None:
    door = door_of("whatsapp")
    said = [
        bodies.text_message(f"wamid.{at}", ("STOP", "START")[at % 2], timestamp=str(1750857300 + at)) for at in range(8)
    ]
    notices = told(door, bodies.whatsapp(bodies.messages(messages=said)))

    at_once(4, lambda number: [take_one(notice.id) for notice in notices[number:] + notices[:number]])

    found = Address.objects.get(organization=door.organization, value=PHONE)
    assert found.opted_out_at is None
    assert found.last_inbound_at == datetime.fromtimestamp(1750857307, UTC)
