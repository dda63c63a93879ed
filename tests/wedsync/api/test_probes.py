"""``/livez``, ``/readyz`` and ``/metrics``: who is answered, and what."""

import asyncio
import re
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from integrations.health.heartbeats import Part, beat
from integrations.health.metrics import collector
from integrations.health.round import sweep_health
from tests.factories import DeliveryFactory, SystemFactory
from tests.raw_http import Answer
from wedsync.api.probes.asgi import Probes

HERE = "127.0.0.1"
Pairs = Iterable[tuple[str, str]]


def ask(path: str, headers: Pairs = (), *, method: str = "GET", client: str | None = HERE) -> Answer:
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def play() -> None:
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers],
            "client": (client, 1) if client else None,
        }
        await Probes().at(path)(scope, None, send)

    asyncio.run(play())
    head = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return Answer(sent[0]["status"], head, b"".join(message.get("body", b"") for message in sent[1:]))


def test_other_paths_are_no_probes() -> None:
    probes = Probes()

    assert not any(probes.at(path) for path in ("/", "/livez/", "/livezz", "/metrics/x", "", "/admin/livez"))


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics"])
def test_probes_are_read_and_nothing_else(path: str) -> None:
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        answer = ask(path, method=method)
        assert (answer.problem, answer.headers["allow"]) == ((405, "method-not-allowed"), "GET, HEAD")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_process_that_runs_says_so(method: str) -> None:
    assert ask("/livez", method=method).json == {"status": "live"}


@pytest.mark.django_db(transaction=True)
def test_metrics_say_what_the_last_sweep_found() -> None:
    collector.forget()
    system = SystemFactory()
    DeliveryFactory(
        organization=system.organization, system=system, next_attempt_at=timezone.now() - timedelta(minutes=5)
    )
    sweep_health()
    beat(Part.WEB)

    answer = ask("/metrics")

    text = answer.body.decode()
    assert answer.status == 200
    for line in (
        'wedsync_deliveries_waiting{queue="high"} 1.0',
        'wedsync_systems{status="critical"} 1.0',
        'wedsync_breakers{breaker="closed"} 1.0',
        'wedsync_alerts_raised_total{cause="system_critical"} 1.0',
        'wedsync_alerts_open{cause="oldest_due"} 1.0',
        'wedsync_queue_messages{queue="urgent"}',
        'wedsync_heartbeat_age_seconds{part="web"}',
        'wedsync_heartbeat_limit_seconds{part="web"} 120.0',
        'wedsync_heartbeat_limit_seconds{part="health"} 10800.0',
    ):
        assert line in text, line
    (age,) = re.findall(r"^wedsync_oldest_due_seconds (\S+)$", text, re.MULTILINE)
    assert float(age) == pytest.approx(300, abs=5)


@pytest.mark.parametrize("client", [HERE, "127.9.9.9", "::1", "::ffff:127.0.0.1"])
@pytest.mark.django_db(transaction=True)
def test_without_a_token_this_machine_itself_is_answered(client: str) -> None:
    assert ask("/metrics", client=client).status == 200


@pytest.mark.parametrize("client", ["203.0.113.7", "10.0.0.1", "::ffff:10.0.0.1", "unknown", "", None])
def test_without_a_token_nobody_else_is_answered(client: str | None) -> None:
    assert ask("/metrics", client=client).problem == (403, "forbidden")


@pytest.mark.parametrize(
    "header",
    [
        "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Forwarded", "X-Real-IP", "Via", "X-Client-IP",
        "True-Client-IP", "CF-Connecting-IP",
    ],
)  # fmt: skip
def test_without_a_token_a_proxy_on_this_machine_is_not_this_machine(header: str) -> None:
    assert ask("/metrics", [(header, HERE)]).problem == (403, "forbidden")


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ([], 403),
        (["Bearer wrong"], 403),
        (["a long token"], 403),
        (["Basic a long token"], 403),
        (["Bearer a long tokén"], 403),
        (["Bearer "], 403),
        (["Bearer a long token", "Bearer a long token"], 403),
        (["Bearer a long token"], 200),
        (["bearer  a long token "], 200),
    ],
)
@pytest.mark.django_db(transaction=True)
def test_with_a_token_it_alone_counts_wherever_it_comes_from(settings: Settings, given: list[str], code: int) -> None:
    settings.METRICS_TOKEN = "a long token"
    headers = [("Authorization", value) for value in given]

    assert ask("/metrics", headers, client="203.0.113.7").status == code
    assert ask("/metrics", [*headers, ("X-Forwarded-For", "198.51.100.1")]).status == code
