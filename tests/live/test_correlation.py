"""One id in each line of the log, from a request to the call of a provider; and a line for each request."""

import hmac
import json
import signal
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import requests

from integrations.models import Delivery
from integrations.states import State
from notifications import links
from tests.factories import ConnectionFactory
from tests.live.world import World, signed
from tests.polling import until
from tests.webhooks.callbacks import bodies
from webhooks.models import ProviderNotice, Receipt
from wedsync.live.models import ChannelEvent


def lines(world: World, process: str, **having: Any) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in world.product.log(process).splitlines() if line.startswith("{")]
    return [line for line in found if having.items() <= line.items()]


def test_the_lines_of_a_webhook_carry_one_id_up_to_the_providers_answer(world: World) -> None:
    body = json.dumps(world.envelope("capacity.updated", {"max_capacity": 181})).encode()

    answer = requests.post(world.url, data=body, headers=signed(body) | {"X-Request-ID": "vm-4711"}, timeout=5)

    assert (answer.status_code, answer.headers["X-Request-ID"]) == (202, "vm-4711")
    (access,) = until(lambda: lines(world, "web", request_id="vm-4711", event="request"))
    assert (access["method"], access["status"]) == ("POST", 202)
    event = ChannelEvent.objects.get(id=answer.json()["id"])
    assert str(event.correlation_id) == access["correlation_id"]
    same = {"event": "delivery_attempted", "correlation_id": access["correlation_id"], "outcome": "succeeded"}
    until(lambda: lines(world, "worker", **same))


def id_of(world: World, request_id: str) -> str:
    """The correlation id in the line of a request."""
    (access,) = until(lambda: lines(world, "web", request_id=request_id, event="request"))
    return str(access["correlation_id"])


def test_the_lines_of_an_api_call_carry_its_id_up_to_the_providers_answer(world: World) -> None:
    url = f"{world.product.base_url}/api/weddings/{world.wedding.id}/"
    headers = world.headers | {"X-Request-ID": f"patch-{uuid4()}"}

    requests.patch(url, json={"ceremony_time": "16:20"}, headers=headers, timeout=10).raise_for_status()

    same = {"correlation_id": id_of(world, headers["X-Request-ID"])}
    until(lambda: lines(world, "worker", event="delivery_attempted", outcome="succeeded", **same))


def test_what_a_provider_tells_takes_effect_under_the_id_of_its_callback(world: World) -> None:
    """A pressed button acknowledges an emergency, of which the others are told."""
    door = ConnectionFactory(organization=world.organization, system=world.systems["whatsapp"], secret="app")
    world.emergency()
    sent = Delivery.objects.filter(organization=world.organization, channel="whatsapp", state=State.SUCCEEDED)
    asked = until(lambda: sent.filter(event__type="venue.emergency_reported").first(), 20, what="a message")
    button = {
        "type": "button",
        "button": {"payload": links.acknowledge_token(asked.id), "text": "I'll take care of it"},
    }
    pressed = bodies.text_message(f"wamid.{uuid4().hex}", **{"from": asked.target.lstrip("+")}) | button
    body, name = bodies.whatsapp(bodies.messages(messages=[pressed])), f"press-{uuid4()}"
    signature = hmac.new(b"app", body, "sha256").hexdigest()
    headers = {"Content-Type": "application/json", "X-Hub-Signature-256": f"sha256={signature}", "X-Request-ID": name}

    url = f"{world.product.base_url}/api/webhooks/providers/whatsapp/{door.id}"
    requests.post(url, data=body, headers=headers, timeout=10).raise_for_status()

    same = {"correlation_id": id_of(world, name)}
    notice = ProviderNotice.objects.select_related("receipt").get(connection=door)
    assert str(notice.receipt.correlation_id) == same["correlation_id"]
    until(lambda: lines(world, "worker", event="notice_taken", notice=str(notice.id), **same))
    told = ChannelEvent.objects.get(organization=world.organization, type="incident.acknowledged")
    assert str(told.correlation_id) == same["correlation_id"]


def test_staff_are_told_of_a_refused_emergency_under_the_id_of_its_request(world: World) -> None:
    envelope = world.envelope("emergency.reported", {"kind": "fire", "description": "Smoke", "reported_by": "Tom"})
    envelope["timestamp"] = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    body, name = json.dumps(envelope).encode(), f"early-{uuid4()}"

    answer = requests.post(world.url, data=body, headers=signed(body) | {"X-Request-ID": name}, timeout=10)

    assert answer.status_code == 400
    same = {"correlation_id": id_of(world, name)}
    assert str(Receipt.objects.get(connection=world.connection).correlation_id) == same["correlation_id"]
    until(lambda: lines(world, "worker", event="delivery_attempted", outcome="succeeded", **same), 20)


def test_a_worker_that_is_told_to_end_says_so_in_a_line_and_writes_no_other_text(world: World) -> None:
    before = len(world.product.log("worker"))

    world.product.kill("worker", signal.SIGTERM)

    written = [json.loads(line) for line in world.product.log("worker")[before:].splitlines()]
    assert "worker_ended" in {line["event"] for line in written}


@pytest.mark.parametrize("given", ["", "two words", "x" * 129, "-begins-with-a-dash", "drop\ttable"])
def test_an_id_that_could_not_be_written_as_it_is_is_replaced_by_one_of_ours(world: World, given: str) -> None:
    answer = requests.get(f"{world.product.base_url}/livez", headers={"X-Request-ID": given}, timeout=5)

    assert answer.headers["X-Request-ID"] not in {"", given}
    until(lambda: lines(world, "web", request_id=answer.headers["X-Request-ID"], path="/livez"))


@pytest.mark.parametrize(
    "path", ["/readyz", "/api/weddings/", "/admin/login/", "/nowhere/", "/api/webhooks/channel-events/x"]
)
def test_every_door_answers_with_the_requests_id_and_has_a_line(world: World, path: str) -> None:
    name = f"door-{path.strip('/').replace('/', '.')}"

    answer = requests.get(f"{world.product.base_url}{path}", headers={"X-Request-ID": name}, timeout=10)

    assert answer.headers["X-Request-ID"] == name
    (access,) = until(lambda: lines(world, "web", request_id=name, event="request"))
    assert access["status"] == answer.status_code
