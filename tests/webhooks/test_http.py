"""What the doors read of a request."""

import pytest

from webhooks.requests.http import remote_address


@pytest.mark.parametrize(
    ("client", "address"),
    [
        (("203.0.113.7", 1), "203.0.113.7"),
        (("2001:DB8::0:1", 1), "2001:db8::1"),
        (("fe80::1%eth0", 1), "fe80::1"),
        (("unknown", 0), None),
        (("", 0), None),
        (None, None),
    ],
)
def test_an_address_is_one_that_postgresql_takes_or_none(client: tuple[str, int] | None, address: str | None) -> None:
    assert remote_address({"client": client}) == address
