"""The door of a running copy, as vendors meet it."""

import html
import json
import re
import subprocess
import time
from collections import Counter

import pytest
import requests

from tests.copy.running import COUPLE, Outsider
from tests.polling import until


def test_the_printed_line_pasted_into_a_shell_brings_a_message_each_time(outsider: Outsider) -> None:
    printed = outsider.copy.printed.read_text()
    line = re.search(r"^\( t=.*?&& echo \)$", printed, re.MULTILINE | re.DOTALL)
    assert line, printed

    accepted, lines = [], []
    for times in (1, 2):
        pasted = subprocess.run(["sh"], input=line[0], capture_output=True, text=True, timeout=10, check=True)
        accepted.append(json.loads(pasted.stdout))
        told = until(lambda: _told(outsider, times), 5, what="the couple's message")  # noqa: B023
        lines.append(told)

    assert [answer["status"] for answer in accepted] == ["accepted", "accepted"]
    assert accepted[0]["id"] != accepted[1]["id"]
    page = html.unescape(outsider.session.get(outsider.facts["sandbox_url"] + "/", timeout=10).text)
    assert all(told in page for told in lines)


def _told(outsider: Outsider, times: int) -> str:
    """What the couple was told about the capacity last, once each of the two was told so often."""
    texts = [message["text"] for message in outsider.messages("whatsapp", "Capacity: ")]
    lines = [found[0] for text in texts if (found := re.search(r"Capacity: \d+ → \d+", text))]
    return lines[-1] if len(lines) >= 2 * times else ""


def test_the_same_event_twice_is_carried_out_once(outsider: Outsider) -> None:
    event = outsider.capacity_event()

    first, second = outsider.post_webhook(event), outsider.post_webhook(event)
    other = outsider.post_webhook({**event, "payload": {**event["payload"], "max_capacity": 999}})

    assert (first.status_code, first.json()["status"]) == (202, "accepted")
    assert (second.status_code, second.json()["status"]) == (200, "duplicate")
    assert second.json()["id"] == first.json()["id"]
    assert other.status_code == 409
    _is_problem(other, "event-id-reused")
    told = _messages_until_the_next_event(outsider, f"→ {event['payload']['max_capacity']}")
    assert told == {"+12025550101": 1, "+12025550102": 1}


@pytest.mark.parametrize(
    "slug", ["signature-missing", "signature-malformed", "signature-mismatch", "timestamp-outside-window"]
)
def test_a_bad_signature_stores_nothing(outsider: Outsider, slug: str) -> None:
    event = outsider.capacity_event()
    body = json.dumps(event).encode()
    forged = {
        "signature-missing": None,
        "signature-malformed": "v1=abc",
        "signature-mismatch": outsider.signed(body, secret="guessed"),
        "timestamp-outside-window": outsider.signed(body, at=time.time() - 310),
    }
    with outsider.socket() as socket:
        last = socket.subscribe(outsider.facts["channels"]["supplier"])["last"]

        refused = outsider.post_webhook(event, signature=forged[slug])

        assert refused.status_code == 401
        _is_problem(refused, slug)
        assert _messages_until_the_next_event(outsider, f"→ {event['payload']['max_capacity']}") == {}
        assert socket.frame()["sequence"] == last + 1, "the next event's frame, with none between"


def _is_problem(answer: requests.Response, slug: str) -> None:
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["type"].rpartition("/")[2] == slug


def _messages_until_the_next_event(outsider: Outsider, text: str) -> dict[str, int]:
    """How many WhatsApps with a text each person has by the time that a later event has reached the couple."""
    later = outsider.capacity_event()
    assert outsider.post_webhook(later).status_code == 202
    outsider.arrived("whatsapp", f"→ {later['payload']['max_capacity']}", COUPLE)
    return dict(Counter(message["to"] for message in outsider.messages("whatsapp", text)))
