"""Messages end while their notifications are judged, and notifications of one event fail at the same moment."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from integrations.deliveries import state_changes
from integrations.models import Alert, Delivery, System
from integrations.routing.route_event import route
from integrations.states import Reason, State
from notifications import fallback, follow_up
from notifications.models import Incident, Notification
from tests.factories import ContactFactory, RouteFactory, SystemFactory, WeddingFactory
from tests.notifications.stored import stored
from tests.polling import until
from wedsync.live.models import ChannelEvent
from wedsync.weddings.models import Wedding

pytestmark = pytest.mark.django_db(transaction=True)
OUTAGE = {"kind": "power_outage", "description": "dark", "reported_by": "Tom"}


def emergency(coordinators: int) -> ChannelEvent:
    """An emergency of which each coordinator is told by email, the only channel."""
    wedding: Wedding = WeddingFactory()
    organization = wedding.organization
    SystemFactory(organization=organization, kind=System.Kind.EMAIL)
    for number in range(coordinators):
        mail = f"clara.{number}@people.example"
        ContactFactory(organization=organization, wedding=wedding, role="coordinator", email=mail, phone="")
    RouteFactory(
        organization=organization, channel_pattern="couple:dashboard:{id}", target="people", roles=["coordinator"]
    )
    event = stored(wedding, "venue.emergency_reported", OUTAGE)
    route(event.id)
    return event


def start(deliveries: list[Delivery], **fields: Any) -> None:
    for delivery in deliveries:
        row = Delivery.objects.filter(id=delivery.id)
        assert state_changes.change(
            row, State.IN_FLIGHT, lease_token=delivery.id, lease_until=timezone.now(), attempt_count=1, **fields
        )


def elsewhere(work: Callable[[], object]) -> None:
    """Do it in another thread, so in a transaction of its own, which is committed on return."""

    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(run).result()


@pytest.mark.parametrize("number", range(1, 13))
def test_a_message_that_arrives_while_its_plan_is_judged_has_not_failed(number: int) -> None:
    event = emergency(1)
    (mail,) = Delivery.objects.filter(event=event)
    start([mail], may_duplicate=True)
    due = Incident.objects.get(event=event).next_step_at
    notification = Notification.objects.get(event=event).id

    def arrive() -> None:
        state_changes.change(Delivery.objects.filter(id=mail.id), State.SUCCEEDED)

    reads = count(1)

    def arrive_after_a_read(execute: Any, sql: str, *rest: Any) -> Any:
        result = execute(sql, *rest)
        if sql.startswith("SELECT") and '"notifications_sending"' in sql and next(reads) == number:
            elsewhere(arrive)
        return result

    with connection.execute_wrapper(arrive_after_a_read):
        fallback.judge(notification)
    arrive()
    follow_up.after_delivery(mail)

    assert Delivery.objects.get(id=mail.id).state == State.SUCCEEDED
    assert Notification.objects.get(id=notification).state == Notification.State.REACHED
    assert not Alert.objects.exists()
    assert Incident.objects.get(event=event).next_step_at == due


def test_when_all_fail_at_the_same_moment_staff_are_alerted_once() -> None:
    event = emergency(2)
    mails = list(Delivery.objects.filter(event=event))
    start(mails)
    for mail in mails:
        assert state_changes.change(Delivery.objects.filter(id=mail.id), State.DEAD, Reason.REFUSED)
    first, second = Notification.objects.filter(event=event).values_list("id", flat=True)

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            fallback.judge(first)
            other = pool.submit(elsewhere, lambda: fallback.judge(second))
            until(lambda: other.done() or waits_for_a_lock())
        other.result()

    assert set(Notification.objects.filter(event=event).values_list("state", flat=True)) == {Notification.State.FAILED}
    assert Alert.objects.filter(cause="nobody_reached").count() == 1


def waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
        return bool(cursor.fetchone()[0])
