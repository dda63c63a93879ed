"""Where calls may go, and how they are signed."""

import pytest

from integrations import standard_webhooks
from integrations.addresses import check_url
from integrations.errors import (
    CredentialsRefused,
    NetworkError,
    OurFault,
    Permanent,
    ServerError,
    TargetGone,
    Throttled,
)
from integrations.outbound import Response, check_status


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://[::ffff:127.0.0.1]/x",
        "https://169.254.169.254/latest",
        "https://10.1.2.3/",
        "https://192.168.0.1/",
        "http://1.1.1.1/",
        "http://127.0.0.1:8101/",
        "ftp://1.1.1.1/",
        "https:///x",
    ],
)
def test_private_and_plain_targets_are_refused(url: str) -> None:
    with pytest.raises(OurFault):
        check_url(url, ["127.0.0.1/32:8100"])


@pytest.mark.parametrize("url", ["http://127.0.0.1:8100/x", "https://1.1.1.1/x"])
def test_listed_and_public_targets_pass(url: str) -> None:
    check_url(url, ["127.0.0.1/32:8100"])


def test_a_name_that_leads_nowhere_is_the_networks_fault() -> None:
    with pytest.raises(NetworkError):
        check_url("https://nothing.invalid/", [])


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
