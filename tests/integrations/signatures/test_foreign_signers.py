"""Signers that are not ours agree: openssl, standardwebhooks, svix and slack_sdk, in both directions."""

import base64
import json
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
import standardwebhooks
import svix
from slack_sdk.signature import Clock, SignatureVerifier

from integrations.signatures.base import SignatureScheme
from integrations.vendors import VENDORS
from tests.integrations.signatures.schemes import BODY, NOW, SCHEMES, received
from webhooks.callbacks.resend import SVIX
from webhooks.callbacks.slack import SLACK

STAMP = str(int(NOW))


def openssl(secret: str, signed: bytes) -> bytes:
    command = ["openssl", "dgst", "-sha256", "-hmac", secret, "-binary"]
    return subprocess.run(command, input=signed, capture_output=True, check=True).stdout


OPENSSL: dict[str, Callable[[str], dict[str, str]]] = {
    "studio_cloud": lambda key: {"X-StudioCloud-Signature": "sha256=" + openssl(key, BODY).hex()},
    "whatsapp": lambda key: {"X-Hub-Signature-256": "sha256=" + openssl(key, BODY).hex()},
    "shootq": lambda key: {
        "X-ShootQ-Timestamp": STAMP,
        "X-ShootQ-Signature": openssl(key, f"{STAMP}.".encode() + BODY).hex(),
    },
    "venue_master": lambda key: {
        "X-Venue-Signature": f"t={STAMP},v1={openssl(key, f'{STAMP}.'.encode() + BODY).hex()}"
    },
    "party_rental": lambda key: {"X-Party-Signature": base64.b64encode(openssl(key, BODY)).decode()},
    "slack": lambda key: {
        "X-Slack-Request-Timestamp": STAMP,
        "X-Slack-Signature": "v0=" + openssl(key, f"v0:{STAMP}:".encode() + BODY).hex(),
    },
}


@pytest.mark.parametrize("name", OPENSSL)
def test_openssl_makes_the_same_headers_and_they_pass(name: str) -> None:
    scheme = SCHEMES[name]
    secret = scheme.new_secret()

    headers = OPENSSL[name](secret)

    assert headers == scheme.sign(BODY, secret, NOW)
    assert scheme.verify(received(headers), BODY, [secret], NOW) == 0


@pytest.mark.parametrize(
    ("scheme", "prefix", "package"),
    [
        (VENDORS["iris_works"].signature, "webhook-", standardwebhooks.Webhook),
        (SVIX, "svix-", svix.Webhook),
    ],
    ids=["standardwebhooks", "svix"],
)
def test_the_packages_of_standard_webhooks_agree(
    scheme: SignatureScheme, prefix: str, package: type[standardwebhooks.Webhook | svix.Webhook]
) -> None:
    secret = scheme.new_secret()
    theirs = package(secret)
    now = time.time()  # their verifier reads the clock

    theirs.verify(BODY, scheme.sign(BODY, secret, now))
    signature = theirs.sign("msg_1", datetime.fromtimestamp(NOW, UTC), BODY.decode())
    headers = {f"{prefix}id": ["msg_1"], f"{prefix}timestamp": [STAMP], f"{prefix}signature": [signature]}
    assert scheme.verify(headers, BODY, [secret], NOW) == 0


def test_slack_sdk_agrees() -> None:
    class Then(Clock):
        def now(self) -> float:
            return NOW

    secret = SLACK.new_secret()
    theirs = SignatureVerifier(secret, Then())
    body = b"payload=" + json.dumps({"type": "block_actions"}).encode()

    assert theirs.is_valid_request(body, SLACK.sign(body, secret, NOW))
    signature = theirs.generate_signature(timestamp=STAMP, body=body)
    assert signature is not None
    headers = {"x-slack-request-timestamp": [STAMP], "x-slack-signature": [signature]}
    assert SLACK.verify(headers, body, [secret], NOW) == 0


def test_slacks_published_example_passes() -> None:
    """https://docs.slack.dev/authentication/verifying-requests-from-slack"""
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
        b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
        b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
        b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    headers = {
        "x-slack-request-timestamp": ["1531420618"],
        "x-slack-signature": ["v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"],
    }

    assert SLACK.verify(headers, body, ["8f742231b10e8888abcd99yyyzzz85a5"], 1531420618.0) == 0


def test_resends_published_example_passes() -> None:
    """https://docs.svix.com/receiving/verifying-payloads/how-manual"""
    headers = {
        "svix-id": ["msg_p5jXN8AQM9LWM0D4loKWxJek"],
        "svix-timestamp": ["1614265330"],
        "svix-signature": ["v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="],
    }

    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    assert SVIX.verify(headers, b'{"test": 2432232314}', [secret], 1614265330.0) == 0
