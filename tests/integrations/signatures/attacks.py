"""Requests that are signed with one secret, and how each is refused."""

import pytest

from integrations.signatures.base import SignatureError, SignatureScheme
from tests.integrations.signatures.schemes import BODY, NOW, SCHEMES, TIMED, received

MISSING, MALFORMED, MISMATCH = "signature-missing", "signature-malformed", "signature-mismatch"
OUTSIDE = "timestamp-outside-window"
every_scheme = pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
every_timed_scheme = pytest.mark.parametrize("scheme", TIMED.values(), ids=TIMED)
Headers = dict[str, list[str]]


class Sender:
    """One secret, and requests signed with it."""

    def __init__(self, scheme: SignatureScheme) -> None:
        self.scheme = scheme
        self.secret = scheme.new_secret()

    def headers(self, body: bytes = BODY, *, at: float = NOW) -> Headers:
        return received(self.scheme.sign(body, self.secret, at))

    def passes(self, headers: Headers, body: bytes = BODY, *, now: float = NOW) -> bool:
        return self.scheme.verify(headers, body, [self.secret], now) == 0

    def is_refused(self, slug: str, headers: Headers, body: bytes = BODY, *, now: float = NOW) -> None:
        with pytest.raises(SignatureError) as refused:
            self.scheme.verify(headers, body, [self.secret], now)
        assert refused.value.slug == str(refused.value) == slug
