"""A target's deliveries among others', through real workers: calls at once, order, rates, words that come late."""

from typing import Any

from django.utils import timezone

from integrations.models import Delivery, System
from integrations.states import Outcome, Reason, State
from tests.factories import ConnectionFactory, NoticeFactory
from tests.live.world import World
from tests.polling import until


def to_studio(world: World) -> Any:
    return Delivery.objects.filter(system=world.systems["studio_cloud"])


def all_arrived(world: World) -> bool:
    return not to_studio(world).exclude(state__in=[State.SUCCEEDED, State.CANCELLED]).exists()


def test_a_slow_target_has_four_calls_at_once_and_none_waits_for_a_tick(world: World) -> None:
    world.product.fault("studio_cloud", "latency", seconds=0.6)
    for wedding in world.further_weddings(12):
        world.patch(wedding, ceremony_time="17:16")

    seen = set()

    def arrived() -> bool:
        seen.add(to_studio(world).filter(state=State.IN_FLIGHT).count())
        return to_studio(world).filter(state=State.SUCCEEDED).count() == 12

    until(arrived, 15, what="all of them")
    assert max(seen) == 4
    assert set(to_studio(world).values_list("attempt_count", flat=True)) == {1}, "to wait for a call is no attempt"


def test_a_limit_of_its_own_and_a_rate_hold_what_is_too_much(world: World) -> None:
    System.objects.filter(id=world.systems["studio_cloud"].id).update(rate_per_second=4, rate_burst=2, call_limit=1)
    weddings = world.further_weddings(6)
    began = timezone.now()
    for wedding in weddings:
        world.patch(wedding, ceremony_time="17:16")

    held = to_studio(world).filter(state=State.HELD, state_reason=Reason.RATE_LIMITED)
    until(held.exists, what="one that waits for the next token")
    until(lambda: to_studio(world).filter(state=State.SUCCEEDED).count() == 6, 15, what="all of them")

    ended = max(row.finished_at for row in to_studio(world))
    assert (ended - began).total_seconds() > 0.9, "six calls at four a second, of which two may go at once"
    assert set(to_studio(world).values_list("attempt_count", flat=True)) == {1}


def test_of_changes_that_wait_only_the_newest_goes_out_and_others_keep_their_order(world: World) -> None:
    world.product.fault("studio_cloud", "latency", seconds=1.0, count=1)
    world.patch(ceremony_time="16:10")
    until(lambda: to_studio(world).filter(state=State.IN_FLIGHT).exclude(request=None).exists(), what="the first call")
    for ceremony in ("16:20", "16:30", "16:40"):
        world.patch(ceremony_time=ceremony)
    world.patch(venue_name="Orangerie")

    until(lambda: to_studio(world).count() == 5 and all_arrived(world), 15, what="all of them")

    said = [
        change["to"]
        for message in world.product.messages("studio_cloud")
        if message["body"].get("booking_id") == world.booking
        for change in message["body"]["changes"]
    ]
    assert said == ["16:10", "16:40", "Orangerie"]
    superseded = to_studio(world).filter(state=State.CANCELLED, state_reason=Reason.SUPERSEDED)
    assert superseded.count() == 2


def test_a_whatsapp_whose_status_comes_is_not_sent_again(world: World) -> None:
    world.product.fault("whatsapp", "hang", after=True, count=1)
    world.capacity(187)
    messages = Delivery.objects.filter(organization=world.organization, channel="whatsapp")
    waits = messages.filter(state=State.HELD, state_reason=Reason.AWAITS_STATUS)
    until(waits.exists, what="the message of unknown outcome")
    delivery = waits.get()

    connection = ConnectionFactory(organization=world.organization, system=world.systems["whatsapp"])
    NoticeFactory(
        organization=world.organization,
        connection=connection,
        provider_id="wamid.LATE",
        data={"id": "wamid.LATE", "status": "sent", "biz_opaque_callback_data": str(delivery.id)},
    )

    until(lambda: messages.filter(id=delivery.id, state=State.SUCCEEDED).exists(), what="its being known as sent")
    delivery.refresh_from_db()
    assert [attempt.outcome for attempt in delivery.attempts.all()] == [Outcome.UNKNOWN]
    assert (delivery.may_duplicate, delivery.message.provider_id) == (False, "wamid.LATE")


def test_an_urgent_one_passes_what_its_target_is_busy_with(world: World) -> None:
    """Four slow calls fill the target; the emergency has slots of its own."""
    System.objects.filter(id=world.systems["email"].id).update(call_limit=1)
    world.product.fault("resend", "latency", seconds=1.5)
    world.patch(date="2027-08-14")
    mails = Delivery.objects.filter(organization=world.organization, channel="email")
    until(lambda: mails.filter(state=State.IN_FLIGHT).exists(), what="a slow mail")
    world.product.end_faults()

    world.emergency()

    urgent = mails.filter(priority="urgent")
    until(lambda: urgent.count() == 4 and not urgent.exclude(state=State.SUCCEEDED).exists(), what="the emergency")


def test_a_target_that_asks_for_a_pause_is_left_alone_by_all_that_waits(world: World) -> None:
    world.product.fault("studio_cloud", "status", status=429, retry_after=2)
    for wedding in world.further_weddings(12):
        world.patch(wedding, ceremony_time="17:16")
    held = to_studio(world).filter(state=State.HELD, state_reason=Reason.THROTTLED)
    until(held.exists, what="what waits being held")
    until(lambda: not to_studio(world).filter(state__in=[State.PENDING, State.IN_FLIGHT]).exists(), what="all of it")

    asked = len(world.product.calls("studio_cloud"))
    world.product.end_faults()

    assert asked <= 12, "no delivery was tried twice before its time"
    until(lambda: to_studio(world).filter(state=State.SUCCEEDED).count() == 12, 20, what="all of them, later")
    assert sum(to_studio(world).values_list("attempt_count", flat=True)) < 2 * 12 + 4
