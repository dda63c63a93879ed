"""Attacks on the time that a signature covers."""

import pytest

from tests.integrations.signatures.attacks import MALFORMED, MISMATCH, OUTSIDE, Sender, every_timed_scheme
from tests.integrations.signatures.schemes import NOW


@every_timed_scheme
def test_a_signed_time_counts_for_300_seconds_either_way(sender: Sender) -> None:
    headers = sender.headers()

    for offset in (-300, 0, 300):
        assert sender.passes(headers, now=NOW + offset)
    for offset in (-301, 301, -1e9, 1e9):
        sender.is_refused(OUTSIDE, headers, now=NOW + offset)


@every_timed_scheme
def test_the_time_is_judged_when_the_signature_fits(sender: Sender) -> None:
    sender.is_refused(MISMATCH, Sender(sender.scheme).headers(at=NOW - 10_000))


@every_timed_scheme
def test_a_time_put_in_after_signing_does_not_fit(sender: Sender) -> None:
    old, new = str(int(NOW)), str(int(NOW) + 1)
    headers = {name: [value.replace(old, new)] for name, (value,) in sender.headers().items()}

    sender.is_refused(MISMATCH, headers)


@every_timed_scheme
@pytest.mark.parametrize(
    "text", ["-1", "+1780000000", "1780000000.0", "1.78e9", "0x6a18a380", "1_780_000_000", "1" * 13, "１７８", "now"]
)
def test_a_time_is_one_to_twelve_ascii_digits(sender: Sender, text: str) -> None:
    changed = {name: [value.replace(str(int(NOW)), text)] for name, (value,) in sender.headers().items()}

    sender.is_refused(MALFORMED, changed)
