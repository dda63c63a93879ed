"""What is read out of WhatsApp's callbacks, and who may make the handshake."""

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import pytest

from tests.webhooks.callbacks.bodies import METADATA, messages, status, statuses, text_message, whatsapp
from webhooks.callbacks import PROVIDERS
from webhooks.callbacks.base import Notice, Unreadable

NOW = datetime(2026, 6, 19, tzinfo=UTC)
WHATSAPP = PROVIDERS["whatsapp"]


def read(body: bytes) -> list[Notice]:
    return WHATSAPP.read({}, body, NOW)


def test_each_status_of_each_entry_and_change_is_a_notice() -> None:
    change = messages(statuses=[status("wamid.1", "sent"), status("wamid.1", "delivered")])
    other = messages(statuses=[status("wamid.2", "failed", errors=[{"code": 131026}])])
    entries = [{"id": "1", "changes": [change]}, {"id": "2", "changes": [other, change]}]

    found = read(json.dumps({"entry": entries}).encode())

    assert [(notice.kind, notice.name, notice.provider_id) for notice in found] == [
        ("status", "sent", "wamid.1"),
        ("status", "delivered", "wamid.1"),
        ("status", "failed", "wamid.2"),
        ("status", "sent", "wamid.1"),
        ("status", "delivered", "wamid.1"),
    ]
    assert found[0].occurred_at == datetime(2025, 6, 25, 13, 16, 24, tzinfo=UTC)
    assert found[2].data["errors"] == [{"code": 131026}]
    assert found[2].data["metadata"] == METADATA


def test_a_status_is_told_apart_by_message_status_and_time() -> None:
    told = [status(), status(), status(at=1750857385), status(name="read"), status("wamid.2")]

    found = [notice.dedup_id for notice in read(statuses(*told))]

    assert found[0] == found[1] == "status:wamid.1:delivered:1750857384"
    assert len(set(found)) == 4


def test_what_a_person_writes_is_a_message_told_apart_by_its_id() -> None:
    pressed = {"type": "button", "button": {"payload": "ACK:1", "text": "Got it"}, "context": {"id": "wamid.1"}}

    text, button = read(whatsapp(messages(messages=[text_message(), text_message("wamid.press") | pressed])))

    assert (text.kind, text.name, text.provider_id, text.dedup_id) == (
        "message", "text", "wamid.in", "message:wamid.in",
    )  # fmt: skip
    assert (button.name, button.data["context"]["id"], button.data["button"]["payload"]) == (
        "button", "wamid.1", "ACK:1",
    )  # fmt: skip


def test_what_has_no_word_here_is_kept_as_it_is() -> None:
    update = {"field": "phone_number_quality_update", "value": {"event": "FLAGGED"}}

    body = whatsapp(update, messages(errors=[{"code": 1}]), messages(statuses=["?"]), time=1750857384)
    quality, errors, broken = read(body)

    assert (quality.kind, quality.name) == ("other", "phone_number_quality_update")
    assert quality.data["phone_number_quality_update"] == update
    assert quality.occurred_at == datetime(2025, 6, 25, 13, 16, 24, tzinfo=UTC)
    assert (errors.kind, errors.name, errors.occurred_at) == ("other", "messages", quality.occurred_at)
    assert (broken.kind, broken.name, broken.data["statuses"]) == ("other", "statuses", "?")


def test_the_same_change_at_another_time_is_another_thing() -> None:
    update = {"field": "account_update", "value": {"event": "FLAGGED"}}
    turned = {"value": {"event": "FLAGGED"}, "field": "account_update"}

    first, again, later = (read(whatsapp(each, time=at))[0] for each, at in ((update, 1), (turned, 1), (update, 2)))

    assert first.dedup_id == again.dedup_id
    assert first.dedup_id != later.dedup_id


def test_what_is_too_long_or_not_a_time_is_bounded() -> None:
    long = status("wamid." + "x" * 900, "n" * 900, at=0) | {"timestamp": "tomorrow"}

    (notice,) = read(statuses(long))

    assert (len(notice.dedup_id), len(notice.name), len(notice.provider_id)) == (64, 64, 200)
    assert notice.occurred_at == NOW


@pytest.mark.parametrize("at", ["", "-1", "1e5", "9" * 30, "١٢٣", None, [], True, 1.5e300])
def test_no_time_is_too_strange(at: Any) -> None:
    (notice,) = read(statuses(status() | {"timestamp": at}))

    assert notice.occurred_at == NOW


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"[]",
        b"{}",
        b'{"entry":{}}',
        b'{"entry":[]}',
        b'{"entry":[{}]}',
        b'{"entry":[{"changes":[]}]}',
        b'{"entry":[],"entry":[]}',
        b'{"entry":NaN}',
        b"[" * 5000,
    ],
)
def test_a_body_that_is_not_metas_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        read(body)


ASKED = "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=right"


def challenge(query: str, *tokens: str) -> str | None:
    return WHATSAPP.challenge(parse_qs(query), tokens)


def test_the_handshake_sends_the_challenge_back_for_any_live_token() -> None:
    assert challenge(ASKED, "right") == "1158201444"
    assert challenge(ASKED, "newer", "right") == "1158201444"


@pytest.mark.parametrize(
    "query",
    [
        "",
        ASKED.replace("right", "wrong"),
        ASKED.replace("right", ""),
        ASKED.replace("right", "%C3%BC"),
        ASKED.replace("subscribe", "unsubscribe"),
        ASKED + "&hub.verify_token=right",
        ASKED + "&hub.challenge=1",
        ASKED.replace("1158201444", ""),
        ASKED.replace("1158201444", "%3Cscript%3E"),
        ASKED.replace("1158201444", "1%0D%0A2"),
        ASKED.replace("1158201444", "9" * 201),
    ],
)
def test_any_other_handshake_is_refused(query: str) -> None:
    assert challenge(query, "right") is None


def test_without_a_token_every_handshake_is_refused() -> None:
    assert challenge(ASKED) is None
    assert challenge(ASKED.replace("right", "")) is None
