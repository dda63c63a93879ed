"""One id in each line of the log, from a request to the call of a provider; and a line for each request."""

import json
from typing import Any

import pytest
import requests

from tests.live.world import World, signed
from tests.polling import until
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


@pytest.mark.parametrize("given", ["", "two words", "x" * 129, "-begins-with-a-dash", "drop\ttable"])
def test_an_id_that_could_not_be_written_as_it_is_is_replaced_by_one_of_ours(world: World, given: str) -> None:
    answer = requests.get(f"{world.product.base_url}/livez", headers={"X-Request-ID": given}, timeout=5)

    assert answer.headers["X-Request-ID"] not in {"", given}
    until(lambda: lines(world, "web", request_id=answer.headers["X-Request-ID"], path="/livez"))


@pytest.mark.parametrize("page", ["acknowledge", "unsubscribe", "emergency"])
def test_the_line_of_a_request_holds_neither_a_links_token_nor_a_query(world: World, page: str) -> None:
    token = "t0k3n" * 8

    requests.get(
        f"{world.product.base_url}/{page}/{token}/",
        params={"ticket": "a-secret-ticket"}, headers={"X-Request-ID": f"page-{page}"}, timeout=5,
    )  # fmt: skip

    (access,) = until(lambda: lines(world, "web", request_id=f"page-{page}", event="request"))
    assert access["path"] == f"/{page}/[redacted]/"
    assert token not in world.product.log("web")
    assert "a-secret-ticket" not in world.product.log("web")


@pytest.mark.parametrize(
    "path", ["/readyz", "/api/weddings/", "/admin/login/", "/nowhere/", "/api/webhooks/channel-events/x"]
)
def test_every_door_answers_with_the_requests_id_and_has_a_line(world: World, path: str) -> None:
    name = f"door-{path.strip('/').replace('/', '.')}"

    answer = requests.get(f"{world.product.base_url}{path}", headers={"X-Request-ID": name}, timeout=10)

    assert answer.headers["X-Request-ID"] == name
    (access,) = until(lambda: lines(world, "web", request_id=name, event="request"))
    assert access["status"] == answer.status_code
