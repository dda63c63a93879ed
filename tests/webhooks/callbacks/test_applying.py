"""From a stored notice to its effect: each once, in its time, within its organization, and blocked by no other."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection as database
from django.db import transaction
from django.utils import timezone

from integrations.deliveries import state_changes
from integrations.models import Delivery, System
from integrations.states import State
from notifications.channels.registry import CHANNELS
from notifications.models import Message, Notification, TraceEntry
from tests.at_once import at_once
from tests.factories import MessageFactory
from tests.notifications.incidents.emergencies import set_stage
from tests.webhooks.callbacks import bodies
from tests.webhooks.callbacks.noticed import PHONE, SENT_AT, a_message, door_of, make_old, now_of, row, told
from webhooks.callbacks.applying import MOST_FAILURES, apply_left, apply_one, apply_waiting, queue_of
from webhooks.models import ProviderNotice
from webhooks.tasks import take as take_task
from wedsync.queues import Priority
from wedsync.weddings.models import Address

pytestmark = pytest.mark.django_db
URGENT, HIGH = Priority.URGENT, Priority.HIGH


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

    assert apply_waiting(door.id, URGENT) == 0
    assert now_of(message).status == "queued"
    assert apply_waiting(door.id, HIGH) == 2
    assert apply_waiting(door.id, HIGH) == 0

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

    apply_waiting(door.id, HIGH)

    assert (now_of(message).status, now_of(message).provider_id) == ("delivered", "wamid.9")


def test_a_status_waits_for_the_answer_of_its_send() -> None:
    door = door_of("whatsapp")
    message = a_message(door, provider_id="")
    (notice,) = told(door, bodies.statuses(bodies.status()))

    apply_waiting(door.id, HIGH)
    waiting = row(notice)
    assert waiting.taken_at is None
    assert waiting.take_after
    assert timedelta(seconds=0.5) < waiting.take_after - waiting.received_at < timedelta(seconds=60)
    assert not apply_one(notice.id)

    Message.objects.filter(id=message.id).update(provider_id="wamid.1")
    make_old(notice, seconds=5)
    assert apply_left() == 1

    assert now_of(message).status == "delivered"
    assert row(notice).taken_at
    assert row(notice).take_after is None


@pytest.mark.parametrize(("age", "pause"), [(0, 1), (20, 20), (500, 60)])
def test_it_waits_longer_the_older_it_is_and_at_most_a_minute(age: int, pause: int) -> None:
    door = door_of("whatsapp")
    (notice,) = told(door, bodies.statuses(bodies.status()))
    make_old(notice, seconds=age)

    apply_one(notice.id)

    with database.cursor() as cursor:
        cursor.execute("SELECT take_after - now() FROM webhooks_providernotice WHERE id = %s", [notice.id])
        (wait,) = cursor.fetchone()
    assert timedelta(seconds=pause) <= wait < timedelta(seconds=pause + 5)


def test_a_message_that_is_not_ours_is_given_up_after_ten_minutes() -> None:
    door = door_of("whatsapp")
    (notice,) = told(door, bodies.statuses(bodies.status("wamid.of.others")))
    apply_one(notice.id)
    make_old(notice, seconds=599)
    apply_one(notice.id)
    assert row(notice).taken_at is None

    make_old(notice, seconds=601)
    apply_one(notice.id)

    assert row(notice).taken_at
    assert row(notice).taken_error == "no message of ours has this id"
    assert apply_left() == 0


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

    assert apply_waiting(door.id, HIGH) == 2
    assert now_of(whole).status == "delivered"
    assert (row(notice).take_failures, row(notice).taken_at) == (1, None)
    assert now_of(broken).status == "queued", "what it had done before it broke is undone"
    assert not apply_one(notice.id), "not before its time"

    for failures in range(2, MOST_FAILURES + 1):
        make_old(notice, seconds=30)
        assert apply_left() == 1
        assert row(notice).take_failures == failures

    assert row(notice).taken_at
    assert row(notice).taken_error == "IntegrityError"
    assert apply_left() == 0
    assert now_of(broken).status == "queued"


def test_what_a_lost_hint_has_left_is_found_and_what_is_new_is_left_to_its_task() -> None:
    door = door_of("whatsapp")
    message = a_message(door)
    (old, new) = told(door, bodies.statuses(bodies.status(name="sent"), bodies.status(name="read")))
    make_old(old, hours=1)

    assert apply_left() == 1

    assert now_of(message).status == "sent"
    assert row(new).taken_at is None


def test_many_are_taken_by_one_task() -> None:
    door = door_of("whatsapp")
    message = a_message(door)
    told(door, bodies.statuses(*[bodies.status(at=1750857384 + number) for number in range(230)]))

    assert apply_waiting(door.id, HIGH) == 230

    assert now_of(message).delivered_at == SENT_AT
    assert not ProviderNotice.objects.filter(taken_at=None).exists()


def test_of_another_connection_nothing_is_taken() -> None:
    door, other = door_of("whatsapp"), door_of("whatsapp")
    message = a_message(door)
    told(door, bodies.statuses(bodies.status()))

    assert apply_waiting(other.id, HIGH) == 0

    assert now_of(message).status == "queued"


def test_another_organizations_notice_touches_no_message_and_no_address_here() -> None:
    door, other = door_of("whatsapp"), door_of("whatsapp")
    message = a_message(door)
    failed = bodies.status(name="failed", errors=[{"code": 131050}], biz_opaque_callback_data=str(message.delivery_id))
    said = bodies.text_message(text="STOP", context={"id": "wamid.1"})
    told(other, bodies.whatsapp(bodies.messages(statuses=[failed], messages=[said])))

    apply_waiting(other.id, HIGH)
    apply_waiting(other.id, URGENT)

    assert now_of(message).status == "queued"
    assert not Address.objects.filter(organization=door.organization).exists()
    assert Address.objects.get().organization == other.organization


@pytest.mark.django_db(transaction=True)
def test_takers_at_once_take_each_once() -> None:
    door = door_of("whatsapp")
    messages = [a_message(door, f"wamid.{number}") for number in range(6)]
    names = ("sent", "delivered", "read")
    told(door, bodies.statuses(*[bodies.status(each.provider_id, name) for each in messages for name in names]))

    counts = at_once(4, lambda _: apply_waiting(door.id, HIGH))

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

    at_once(4, lambda number: [apply_one(notice.id) for notice in notices[number:] + notices[:number]])

    found = Address.objects.get(organization=door.organization, value=PHONE)
    assert found.opted_out_at is None
    assert found.last_inbound_at == datetime.fromtimestamp(1750857307, UTC)


@pytest.mark.django_db(transaction=True)
def test_what_another_holds_is_passed_over_and_not_waited_for() -> None:
    door = door_of("whatsapp")
    message = a_message(door)
    held, free = told(door, bodies.statuses(bodies.status(name="sent"), bodies.status(name="read")))
    locked, done = threading.Event(), threading.Event()

    def work(number: int) -> int:
        if number:
            assert locked.wait(10)
            try:
                return apply_waiting(door.id, HIGH)
            finally:
                done.set()
        with transaction.atomic():
            ProviderNotice.objects.select_for_update().get(id=held.id)
            locked.set()
            return int(done.wait(10))

    assert at_once(2, work) == [1, 1]

    assert (row(held).taken_at, now_of(message).sent_at) == (None, None)
    assert row(free).taken_at


@pytest.mark.django_db(transaction=True)
def test_a_status_that_races_the_answer_of_its_send_is_neither_lost_nor_in_its_way() -> None:
    stage = set_stage()
    stage.report()
    system = System.objects.get(organization=stage.wedding.organization, kind="whatsapp")
    door = door_of("whatsapp", system)
    deliveries = list(Delivery.objects.filter(system=system).select_related("system", "event", "contact"))
    assert len(deliveries) == 3
    for each in deliveries:
        lease = {"lease_token": each.id, "lease_until": timezone.now()}
        assert state_changes.change(Delivery.objects.filter(id=each.id), State.IN_FLIGHT, **lease)
        MessageFactory(
            organization=each.organization, delivery=each, channel="whatsapp", address=each.target, provider_id=""
        )
    ids = [{"wamid": f"wamid.{each.id}", "biz_opaque_callback_data": str(each.id)} for each in deliveries]
    notices = told(door, bodies.statuses(*[bodies.status(name=name, **of) for of in ids for name in ("sent", "read")]))

    def work(number: int) -> None:
        if number:
            for notice in notices:
                apply_one(notice.id)
            return
        for each in deliveries:
            assert state_changes.change(Delivery.objects.filter(id=each.id), State.SUCCEEDED)
            CHANNELS["whatsapp"].accepted(each, f"wamid.{each.id}")

    at_once(2, work)

    found = Message.objects.filter(delivery__in=deliveries)
    assert {(each.status, each.provider_id) for each in found} == {("read", f"wamid.{each.id}") for each in deliveries}
    assert not ProviderNotice.objects.filter(taken_at=None).exists()
    assert set(Notification.objects.filter(contact__isnull=False).values_list("state", flat=True)) == {"reached"}
