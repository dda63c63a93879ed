"""Whatever is sent, the receiver answers properly, and stores nothing that was not signed."""

import asyncio
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.envelopes import signature
from bench.fuzz.case import Case
from bench.fuzz.cases import Cases, head_of
from bench.fuzz.client import Answer, Client
from bench.fuzz.judging import Verdict, wrong_with
from bench.ground import Facts, Ground
from bench.servers import Server

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=()))
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4), max_leaves=12
)
FIELDS = st.sampled_from(
    ["max_capacity", "headcount", "event_id", "wedding_id", "reason", "starts_at", "date", "extra"]
)
TYPES = st.sampled_from(["capacity.updated", "guests.changed", "setup.scheduled", "event.date_changed", "unheard.of"])
ENVELOPES = st.builds(
    lambda number, event_type, payload, odd: {
        "id": f"vm_{number}",
        "eventType": event_type,
        "timestamp": datetime.now(UTC).isoformat(),
        "payload": payload,
        **odd,
    },
    st.integers(0, 10**9),
    TYPES,
    st.dictionaries(FIELDS, VALUES, max_size=4),
    st.dictionaries(st.sampled_from(["id", "eventType", "timestamp", "payload"]), VALUES, max_size=1),
).map(lambda envelope: json.dumps(envelope).encode())
CUT = st.tuples(ENVELOPES, st.integers(0, 200), st.integers(0, 9), st.binary(max_size=4)).map(
    lambda parts: parts[0][: parts[1]] + parts[3] + parts[0][parts[1] + parts[2] :]
)
BODIES = st.one_of(
    ENVELOPES, ENVELOPES, CUT, st.binary(max_size=300), VALUES.map(lambda value: json.dumps(value).encode())
)
SIGNATURES = st.sampled_from(["right", "right", "missing", "another secret", "too old", "doubled"])


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as made:
        yield made


def signed_case(facts: Facts, body: bytes, how: str) -> Case:
    now, secret = int(time.time()), facts.secret.encode()
    values = {
        "missing": [],
        "another secret": [signature(body, b"another", now)],
        "too old": [signature(body, secret, now - 400)],
        "doubled": [signature(body, secret, now)] * 2,
    }.get(how, [signature(body, secret, now)])
    headers = ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    headers += [f"X-Venue-Signature: {value}" for value in values]
    return Case(head_of("POST", facts.path, headers) + body, body, signed=how == "right", well_formed=True)


def test_bodies_and_signatures_of_any_kind(ground: Ground, facts: Facts, web: Server, runner: asyncio.Runner) -> None:
    verdict, client = Verdict(), Client(web.port)

    @settings(max_examples=250, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(BODIES, SIGNATURES)
    def holds(body: bytes, how: str) -> None:
        case = signed_case(facts, body, how)
        answer = runner.run(client.send(case))
        verdict.add(case, answer)
        assert not wrong_with(case, answer)

    holds()
    runner.run(client.close())
    verdict.compare(ground, facts)

    assert not verdict.wrong
    assert verdict.stored_ids


def test_requests_with_odd_framing_methods_and_addresses(
    ground: Ground, facts: Facts, web: Server, runner: asyncio.Runner
) -> None:
    verdict, client, cases = Verdict(), Client(web.port), Cases(facts, seed=1)

    for _ in range(400):
        case = cases.make()
        verdict.add(case, runner.run(client.send(case)))
    runner.run(client.close())
    verdict.compare(ground, facts)

    assert not verdict.wrong, verdict.examples


@pytest.mark.parametrize(
    ("signed", "answer"),
    [
        (True, None),
        (True, Answer(500, "application/problem+json", b"{}", closes=False)),
        (False, Answer(202, "application/json", b'{"id":"1","status":"accepted"}', closes=False)),
        (True, Answer(202, "application/json", b"{}", closes=False)),
        (False, Answer(401, "text/html", b"<h1>no</h1>", closes=False)),
        (False, Answer(401, "application/problem+json", b'{"status":400,"type":"/problems/x"}', closes=False)),
        (False, Answer(400, "text/plain", b"Invalid HTTP request received.", closes=True)),
    ],
)
def test_a_wrong_answer_is_noticed(signed: bool, answer: Answer | None) -> None:
    assert wrong_with(Case(b"", b"", signed=signed, well_formed=True), answer)
