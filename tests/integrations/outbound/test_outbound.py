"""What answers mean, and how calls are signed."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.errors import (
    CredentialsRefused,
    Permanent,
    ServerError,
    TargetGone,
    Throttled,
)
from integrations.outbound import Call, Response, check_status
from integrations.signatures import standard_webhooks


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (500, ServerError),
        (503, ServerError),
        (408, Throttled),
        (425, Throttled),
        (429, Throttled),
        (401, CredentialsRefused),
        (403, CredentialsRefused),
        (410, TargetGone),
        (404, Permanent),
        (422, Permanent),
        (301, Permanent),
    ],
)
def test_each_status_has_its_class(status: int, error: type[Exception]) -> None:
    with pytest.raises(error):
        check_status(Response(status, {}, b""))


def test_the_published_example_of_standard_webhooks_is_met() -> None:
    signature = standard_webhooks.sign(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
    )
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def _asked(text: str, **headers: str) -> float | None:
    return Response(429, {"retry-after": text, **headers}, b"").retry_after


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120),
        (" 7 ", 7),
        ("1.5", 1.5),
        ("0", 0),
        ("9" * 400, 86400),
        ("-5", None),
        ("nan", None),
        ("inf", None),
        ("1e9", None),
        ("٣", None),
        ("soon", None),
        ("", None),
    ],
)
def test_seconds_to_wait_are_read_and_bounded(text: str, seconds: float | None) -> None:
    assert _asked(text) == seconds


@pytest.mark.parametrize(
    "until",
    ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"],
    ids=["IMF-fixdate", "RFC 850", "asctime"],
)
def test_a_date_to_wait_for_counts_from_the_other_sides_clock(until: str) -> None:
    assert _asked(until, date="Sun, 06 Nov 1994 08:48:37 GMT") == 60
    assert _asked(until, date="Sun, 06 Nov 1994 09:00:00 GMT") == 0, "never negative"
    assert _asked(until, date="nonsense") == 0, "else from ours"


def test_a_date_without_the_other_sides_clock_counts_from_ours() -> None:
    waits = _asked(format_datetime(datetime.now(UTC) + timedelta(minutes=10), usegmt=True))
    assert waits is not None
    assert 500 < waits <= 600


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_answer_makes_the_wait_absurd(text: str, date: str) -> None:
    waits = _asked(text, date=date)
    assert waits is None or 0 <= waits <= 86400


def test_a_call_shows_nothing_secret_of_itself() -> None:
    shown = repr(Call("POST", "https://hooks.example/T0/B0/secret", b"secret", {"Authorization": "Bearer secret"}))
    assert "secret" not in shown
