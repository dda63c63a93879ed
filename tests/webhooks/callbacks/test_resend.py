"""What is read out of Resend's callbacks."""

from datetime import UTC, datetime

import pytest

from tests.webhooks.callbacks.bodies import resend
from webhooks.callbacks import PROVIDERS
from webhooks.callbacks.base import Notice, Unreadable

NOW = datetime(2026, 6, 19, tzinfo=UTC)


def read(body: bytes, svix_id: str = "msg_1") -> Notice:
    (notice,) = PROVIDERS["resend"].read({"svix-id": [svix_id]}, body, NOW)
    return notice


def test_an_event_of_an_email_is_a_status_of_it() -> None:
    notice = read(resend(bounce={"type": "Permanent"}))

    assert (notice.dedup_id, notice.kind, notice.name) == ("msg_1", "status", "email.bounced")
    assert notice.provider_id == "49a3999c-0ce1-4ea6-ab68-afcd6dc2e794"
    assert notice.occurred_at == datetime(2026, 6, 19, 10, 0, 0, 120_000, tzinfo=UTC)
    assert notice.data["data"]["bounce"] == {"type": "Permanent"}


@pytest.mark.parametrize(
    ("name", "kind"), [("email.received", "message"), ("contact.created", "other"), ("email.new_word", "status")]
)
def test_a_received_email_is_a_message_and_what_is_not_of_emails_is_something_else(name: str, kind: str) -> None:
    assert read(resend(name)).kind == kind


def test_a_long_id_is_kept_as_its_digest() -> None:
    assert len(read(resend(), "m" * 201).dedup_id) == 64
    assert read(resend(), "m" * 200).dedup_id == "m" * 200


@pytest.mark.parametrize("at", ["", "yesterday", "2026-06-19T10:00:00", "0001-01-01T00:00:00+14:00"])
def test_a_time_that_can_not_be_read_is_ours(at: str) -> None:
    assert read(resend().replace(b"2026-06-19T10:00:00.120Z", at.encode())).occurred_at == NOW


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"type":1}', b'{"type":""}', b"\xc3("])
def test_a_body_that_is_not_resends_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        read(body)
