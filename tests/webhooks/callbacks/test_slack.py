"""What is read out of Slack's interactions."""

import hashlib
from datetime import UTC, datetime

import pytest

from tests.webhooks.callbacks.bodies import slack
from webhooks.callbacks import PROVIDERS
from webhooks.callbacks.base import Notice, Unreadable

NOW = datetime(2026, 6, 19, tzinfo=UTC)


def read(body: bytes) -> Notice:
    (notice,) = PROVIDERS["slack"].read({}, body, NOW)
    return notice


def test_a_pressed_button_is_an_interaction_with_a_message() -> None:
    body = slack()

    notice = read(body)

    assert (notice.kind, notice.name, notice.provider_id) == ("interaction", "block_actions", "1750857384.000200")
    assert notice.dedup_id == hashlib.sha256(body).hexdigest()
    assert notice.occurred_at.replace(microsecond=0) == datetime(2025, 6, 25, 13, 16, 39, tzinfo=UTC)
    assert notice.data["actions"][0]["value"] == "ACK:1"


def test_what_lets_one_act_in_slack_is_not_kept_with_the_notice() -> None:
    assert read(slack(response_urls=[{"response_url": "https://hooks.slack.example/x"}])).data.keys() == {
        "type", "user", "container", "actions",
    }  # fmt: skip


def test_an_interaction_without_a_message_names_its_view_or_nothing() -> None:
    assert read(slack(type="view_submission", container=None, view={"id": "V1"}, actions=None)).provider_id == "V1"
    nothing = read(slack(type="shortcut", container=None, actions=[], action_ts="1750857399.5"))
    assert (nothing.provider_id, nothing.occurred_at.second) == ("", 39)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"command=%2Fweddings&text=today",
        b"payload={}&payload={}",
        b"payload",
        b"payload=%FF",
        b"payload={}",
        b"payload=[]",
        "payload={é}".encode(),
        b"&".join([b"a=1"] * 50),
    ],
)
def test_a_body_that_is_no_interaction_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        read(body)
