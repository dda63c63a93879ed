"""How many clients may be open at once."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from wedsync.live.access.bearers import Bearer
from wedsync.live.access.passes import Pass
from wedsync.live.close_codes import CloseCode
from wedsync.live.quotas import Quotas, Refused


def pass_for(key: UUID | None = None) -> Pass:
    return Pass(uuid4(), Bearer(api_key_id=key or uuid4()), frozenset())


@pytest.fixture(autouse=True)
def small(settings: Any) -> None:
    settings.SOCKETS_PER_KEY, settings.SOCKETS_PER_ADDRESS, settings.SOCKETS_PER_PROCESS = 2, 3, 5
    settings.SOCKETS_SPARED_NETWORKS = ("198.51.100.0/24", "2001:db8:5::/48")


def refusal(quotas: Quotas, given: Pass, address: str) -> Refused:
    with pytest.raises(Refused) as refused:
        quotas.admit(given, address)
    return refused.value


def test_a_key_has_a_quota_of_its_own_at_whatever_address() -> None:
    quotas, key = Quotas(), uuid4()
    first = quotas.admit(pass_for(key), "192.0.2.1")
    quotas.admit(pass_for(key), "192.0.2.2")

    refused = refusal(quotas, pass_for(key), "192.0.2.3")
    assert (refused.code, refused.http_status, refused.retry_after) == (CloseCode.QUOTA, 429, None)
    assert quotas.open == 2, "who is refused counts for nothing"
    quotas.admit(pass_for(), "192.0.2.3")

    quotas.leave(first)
    quotas.leave(first)
    quotas.admit(pass_for(key), "192.0.2.3")
    assert refusal(quotas, pass_for(key), "192.0.2.3").code == CloseCode.QUOTA


@pytest.mark.parametrize(
    "addresses",
    [
        ["192.0.2.1"] * 4,
        ["192.0.2.1", "::ffff:192.0.2.1", "192.0.2.1", "::ffff:c000:201"],
        ["2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "2001:db8:1:2::3", "2001:db8:1:2::4"],
        ["a proxy that names itself"] * 4,
    ],
)
def test_an_address_has_a_quota_and_with_ipv6_its_network_of_64_bits(addresses: list[str]) -> None:
    quotas = Quotas()
    for address in addresses[:3]:
        quotas.admit(pass_for(), address)

    assert refusal(quotas, pass_for(), addresses[3]).code == CloseCode.QUOTA
    quotas.admit(pass_for(), "2001:db8:1:3::1")


@pytest.mark.parametrize("address", ["198.51.100.7", "::ffff:198.51.100.7", "2001:db8:5:7::1"])
def test_a_spared_network_has_only_the_quotas_of_keys_and_of_the_process(address: str) -> None:
    quotas = Quotas()
    for _ in range(5):
        quotas.admit(pass_for(), address)

    refused = refusal(quotas, pass_for(), address)
    assert (refused.code, refused.http_status) == (None, 503)
    assert refused.retry_after


def test_a_full_process_refuses_before_it_is_known_whose_the_client_is() -> None:
    quotas = Quotas()
    slots = [quotas.enter(f"192.0.2.{number}") for number in range(5)]

    with pytest.raises(Refused):
        quotas.enter("192.0.2.9")

    quotas.leave(slots[0])
    quotas.enter("192.0.2.9")


def test_who_has_left_before_its_rights_were_read_does_not_count_for_its_key() -> None:
    quotas, key = Quotas(), uuid4()
    for _ in range(5):
        slot = quotas.enter("192.0.2.1")
        quotas.leave(slot)
        quotas.name(slot, pass_for(key))

    quotas.admit(pass_for(key), "192.0.2.1")
    assert quotas.open == 1
