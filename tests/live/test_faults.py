"""What goes wrong in the outside world and in our own processes, and that nothing accepted is lost by it."""

import json
import signal
import socket
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from http.client import HTTPResponse
from itertools import pairwise
from urllib.parse import urlsplit

import pytest
import redis
import requests
from django.conf import settings
from django.utils import timezone

from integrations.models import Attempt, Delivery, System
from integrations.states import Reason, State
from tests.live.world import World, signed
from tests.polling import until
from wedsync.live.models import ChannelEvent


def deliveries(world: World, channel: str) -> list[Delivery]:
    return list(Delivery.objects.filter(organization=world.organization, channel=channel).order_by("id"))


def one(world: World, channel: str) -> Delivery:
    (found,) = until(lambda: deliveries(world, channel), what=f"a delivery by {channel}")
    return found


def finished(world: World, channel: str, seconds: float = 20) -> Delivery:
    return until(
        lambda: next((row for row in deliveries(world, channel) if row.state == State.SUCCEEDED), None),
        seconds,
        what=f"the delivery by {channel}",
    )


def test_a_failing_target_is_tried_again_with_the_same_bytes_and_key(world: World) -> None:
    world.product.fault("studio_cloud", "status", status=503, count=2)

    world.patch(ceremony_time="16:30")

    delivery = finished(world, "system")
    outcomes = list(delivery.attempts.order_by("number").values_list("outcome", "status_code"))
    assert outcomes == [("failed", 503), ("failed", 503), ("succeeded", 200)]
    keys = {call["idempotency_key"] for call in world.product.calls("studio_cloud")}
    assert keys == {str(delivery.id)}


def test_a_reset_connection_is_tried_again(world: World) -> None:
    begun = timezone.now()
    world.product.fault("resend", "reset", count=1)

    world.emergency()

    until(lambda: len(deliveries(world, "email")) == 4)
    until(lambda: all(row.state == State.SUCCEEDED for row in deliveries(world, "email")), 15)
    # The first call after the fault is met by it, which may be one that an earlier test has left.
    broken = Attempt.objects.get(error_class="NetworkError", started_at__gte=begun)
    until(lambda: Attempt.objects.filter(delivery=broken.delivery, outcome="succeeded").exists(), 15)


def test_a_hanging_target_is_left_at_the_deadline_and_whatsapp_is_marked(world: World) -> None:
    world.product.fault("whatsapp", "hang", count=1)

    world.capacity(181)

    delivery = finished(world, "whatsapp")
    (timed_out, _) = delivery.attempts.order_by("number")
    assert (timed_out.error_class, timed_out.outcome) == ("TimedOut", "unknown")
    assert delivery.may_duplicate


def test_a_refused_request_is_dead_at_once_and_its_answer_kept(world: World) -> None:
    world.product.fault("studio_cloud", "status", status=422)

    world.patch(ceremony_time="16:45")

    delivery = until(lambda: next((row for row in deliveries(world, "system") if row.state == State.DEAD), None))
    assert delivery.state_reason == Reason.REFUSED
    assert delivery.attempt_count == 1
    assert delivery.attempts.get().response_excerpt


def test_refused_credentials_pause_the_system_and_hold_what_waits(world: World) -> None:
    world.product.fault("studio_cloud", "status", status=401)

    world.patch(ceremony_time="17:00")

    delivery = until(lambda: next((row for row in deliveries(world, "system") if row.state == State.HELD), None))
    paused = System.objects.filter(id=world.systems["studio_cloud"].id, state=System.Status.PAUSED)
    until(paused.filter(state_reason=Reason.CREDENTIALS_REFUSED).exists, what="the system being paused")
    assert delivery.state_reason == Reason.SYSTEM_PAUSED


def test_a_target_that_is_gone_is_disabled(world: World) -> None:
    world.product.fault("slack", "status", status=410)

    world.capacity(182)

    until(lambda: one(world, "slack").state == State.DEAD)
    disabled = System.objects.filter(id=world.systems["slack"].id, state=System.Status.DISABLED)
    until(disabled.filter(state_reason=Reason.TARGET_GONE).exists, what="the webhook that is gone being disabled")


def test_five_failures_open_the_breaker_and_the_others_go_on(world: World) -> None:
    system = world.systems["studio_cloud"]
    world.product.fault("studio_cloud", "status", status=500)
    world.patch(ceremony_time="17:15")
    until(lambda: one(world, "system").attempts.count() == 5, 15, what="the fifth failure")

    for wedding in world.further_weddings(10):
        world.patch(wedding, ceremony_time="17:16")
    until(
        lambda: Delivery.objects.filter(system=system, state=State.HELD, state_reason=Reason.BREAKER_OPEN).count() >= 9,
        what="all of them held, but one that may be the probe",
    )
    world.capacity(199)
    phone = world.people["couple"].phone
    until(lambda: world.product.messages("whatsapp", phone), 15, what="the other system's message")
    world.product.end_faults()
    until(
        lambda: all(row.state == State.SUCCEEDED for row in deliveries(world, "system")),
        30,
        what="the delivery of what was held",
    )

    calls = sorted(world.product.calls("studio_cloud"), key=lambda call: call["time"])
    refused = [datetime.fromisoformat(call["time"]) for call in calls if call["status"] == 500]
    pauses = [(later - earlier).total_seconds() for earlier, later in pairwise(refused)]
    assert all(pause > settings.BREAKER_OPEN_SECONDS - 0.1 for pause in pauses[4:]), "after the fifth only probes"
    made = Counter(call["idempotency_key"] for call in calls)
    assert {str(row.id): row.attempt_count for row in deliveries(world, "system")} == made, "to be held is no attempt"


def test_redis_emptied_right_after_the_answer_loses_nothing(world: World) -> None:
    answers = [world.capacity(190), world.emergency()]
    redis.Redis.from_url(settings.REDIS_URL).flushall()

    assert [answer.status_code for answer in answers] == [202, 202]
    for contact in world.people.values():
        until(lambda contact=contact: world.product.messages("whatsapp", contact.phone), 20)
    until(lambda: len(deliveries(world, "email")) == 4)
    until(
        lambda: all(row.state == State.SUCCEEDED for row in Delivery.objects.filter(organization=world.organization)),
        20,
    )


def test_a_worker_killed_in_the_middle_of_a_call_leaves_it_to_the_sweep(world: World) -> None:
    world.product.fault("studio_cloud", "latency", seconds=2.5)
    world.patch(ceremony_time="18:00")
    until(lambda: one(world, "system").state == State.IN_FLIGHT)
    until(lambda: one(world, "system").request, what="its bytes being frozen, right before the call")

    world.product.kill("worker")
    world.product.heal()
    world.product.start("worker")

    delivery = finished(world, "system", 30)
    outcomes = list(delivery.attempts.order_by("number").values_list("outcome", "error_class"))
    assert outcomes == [("unknown", "WorkerLost"), ("succeeded", "")]
    assert {call["idempotency_key"] for call in world.product.calls("studio_cloud")} == {str(delivery.id)}


def test_a_web_process_killed_keeps_what_it_answered(world: World) -> None:
    accepted = [world.capacity(200 + number).json()["id"] for number in range(5)]

    world.product.kill("web")

    world.product.start("web")
    assert ChannelEvent.objects.filter(id__in=accepted).count() == 5
    until(lambda: not ChannelEvent.objects.filter(id__in=accepted, routing="pending").exists(), 20)


def test_a_web_process_killed_in_the_middle_of_requests_has_stored_what_it_answered(world: World) -> None:
    answered, stored = posted_until_the_end(world, signal.SIGKILL)

    assert answered <= stored


def test_a_graceful_stop_under_load_answers_everything_that_it_stored(world: World) -> None:
    answered, stored = posted_until_the_end(world, signal.SIGTERM)

    assert answered == stored


def posted_until_the_end(world: World, number: signal.Signals) -> tuple[set[str], set[str]]:
    """The ids that eight vendors were answered, all posting while the web process is ended, and those that are stored.

    Each request is answered 202 or its connection breaks: a time-out or half an answer fails the test.
    """

    def post() -> list[str]:
        answered = []
        while True:
            try:
                answer = world.capacity(210)
            except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
                return answered
            assert answer.status_code == 202, answer.text
            answered.append(answer.json()["id"])

    events = ChannelEvent.objects.filter(organization=world.organization)
    with ThreadPoolExecutor(8) as vendors:
        posting = [vendors.submit(post) for _ in range(8)]
        until(lambda: events.count() > 40, what="all of them posting")
        world.product.kill("web", number)
        answered = {event_id for each in posting for event_id in each.result(20)}
    return answered, {str(event_id) for event_id in events.values_list("id", flat=True)}


def test_a_graceful_stop_waits_for_the_requests_that_have_begun(world: World) -> None:
    body = json.dumps(world.envelope("capacity.updated", {"max_capacity": 211})).encode()
    head = {**signed(body), "Host": "wedsync", "Content-Length": str(len(body)), "Expect": "100-continue"}
    lines = [f"POST {urlsplit(world.url).path} HTTP/1.1", *(f"{name}: {value}" for name, value in head.items())]
    with socket.create_connection(("127.0.0.1", world.product.port), timeout=10) as vendor:
        vendor.sendall("\r\n".join([*lines, "", ""]).encode())
        assert vendor.recv(1000).startswith(b"HTTP/1.1 100 "), "it waits for the body now"

        process = world.product.processes.pop("web")
        process.terminate()
        until(lambda: not listens(world.product.port), 5, what="the door being closed")
        vendor.sendall(body)

        answer = HTTPResponse(vendor)
        answer.begin()
        assert answer.status == 202
        event_id = json.loads(answer.read())["id"]
    process.wait(20)
    assert ChannelEvent.objects.filter(id=event_id).exists()


def listens(port: int) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize(("channel", "name"), [("email", "from"), ("slack", "webhook_path")])
def test_a_delivery_that_we_can_not_make_holds_up_no_other(world: World, channel: str, name: str) -> None:
    """Without ``from`` an email cannot be rendered; without its path Slack cannot be called."""
    system = world.systems[channel]
    complete = system.credentials
    system.seal_credentials({key: value for key, value in complete.items() if key != name})
    system.save()

    event_id = world.emergency().json()["id"]

    broken = Delivery.objects.filter(event_id=event_id, channel=channel)
    others = Delivery.objects.filter(event_id=event_id).exclude(channel=channel)
    until(lambda: others.count() >= 4 and not others.exclude(state=State.SUCCEEDED).exists(), what="the others")
    waits = broken.filter(state=State.SCHEDULED, state_reason=Reason.OUR_FAULT)
    until(lambda: broken.exists() and waits.count() == broken.count(), what="the fault")
    tried = Attempt.objects.filter(delivery__in=broken, number=1)
    assert tried.count() == broken.count()
    assert {(row.outcome, row.error_class, row.status_code) for row in tried} == {("failed", "OurFault", None)}
    assert all(name in row.error for row in tried)

    system.seal_credentials(complete)
    system.save()
    until(lambda: not broken.exclude(state=State.SUCCEEDED).exists(), 15, what="the delivery once we have mended it")


def test_nothing_secret_reaches_the_logs(world: World) -> None:
    world.emergency()
    until(lambda: len(deliveries(world, "email")) == 4)
    until(lambda: all(row.state == State.SUCCEEDED for row in deliveries(world, "email")))

    assert "delivery_attempted" in world.product.log("worker")
    frozen = json.dumps(list(Delivery.objects.filter(organization=world.organization).values("request")), default=str)
    logs = "".join(world.product.log(name) for name in ("web", "worker", "sweep"))
    for secret in (world.token, "EAAGtest", "re_test", "whsec_", "T1/B"):
        assert secret not in logs
        assert secret not in frozen
