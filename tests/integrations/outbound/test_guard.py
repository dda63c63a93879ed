"""Where calls may go."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.outbound.guard import check_target, is_public, read_origin, refusal

ALLOWED = ("127.0.0.1/32:8100", "[fd00:1::/64]:8443")
FORBIDDEN_V4 = [
    "0.0.0.0", "10.1.2.3", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.254", "168.63.129.16",
    "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.0.1",
    "198.18.0.1", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255",
]  # fmt: skip
FORBIDDEN_V6 = [
    "::", "::1", "::127.0.0.1", "::ffff:0:10.0.0.1", "64:ff9b:1::1", "100::1", "2001::1", "2001:0:7f00:1::",
    "2001:2::1", "2001:db8::1", "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%1", "fec0::1",
    "ff02::1", "ff0e::1",
]  # fmt: skip
PUBLIC = [
    "1.1.1.1",
    "93.184.216.34",
    "172.32.0.1",
    "100.128.0.1",
    "2606:4700::1111",
    "2a00:1450::5",
    "64:ff9b::101:101",
]
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
V4 = st.ip_addresses(v=4)
WRAPPED = {
    "mapped": lambda v4: ipaddress.IPv6Address(0xFFFF << 32 | int(v4)),
    "6to4": lambda v4: ipaddress.IPv6Address(0x2002 << 112 | int(v4) << 80 | 1),
    "NAT64": lambda v4: ipaddress.IPv6Address(0x64FF9B << 96 | int(v4)),
}


@pytest.mark.parametrize("address", [*FORBIDDEN_V4, *FORBIDDEN_V6])
def test_what_is_not_the_open_internet_is_refused(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))
    assert "private" in refusal("https", address, 443, ALLOWED)


@pytest.mark.parametrize("address", PUBLIC)
def test_the_open_internet_is_called_over_https_only(address: str) -> None:
    assert refusal("https", address, 8443, ALLOWED) == ""
    assert "plain http" in refusal("http", address, 80, ALLOWED)


@given(V4, st.sampled_from(sorted(WRAPPED)))
def test_an_address_inside_another_is_judged_like_itself(address: ipaddress.IPv4Address, form: str) -> None:
    assert is_public(WRAPPED[form](address)) == is_public(address)


@pytest.mark.parametrize("form", sorted(WRAPPED))
@pytest.mark.parametrize("address", FORBIDDEN_V4)
def test_no_form_hides_a_forbidden_address(address: str, form: str) -> None:
    assert not is_public(WRAPPED[form](ipaddress.IPv4Address(address)))


@given(st.ip_addresses())
def test_nothing_passes_that_python_holds_for_private(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    if is_public(address) and getattr(address, "sixtofour", None) is None and address not in _NAT64:
        assert address.is_global
        assert not address.is_multicast


@given(V4)
def test_a_teredo_address_is_never_called(address: ipaddress.IPv4Address) -> None:
    assert not is_public(ipaddress.IPv6Address(0x20010000 << 96 | int(address) << 64 | (~int(address) & 0xFFFFFFFF)))


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_what_the_operator_lists_is_called_at_that_port_only(scheme: str) -> None:
    assert refusal(scheme, "127.0.0.1", 8100, ALLOWED) == ""
    assert refusal(scheme, "::ffff:127.0.0.1", 8100, ALLOWED) == "", "the same address in another form"
    assert refusal(scheme, "fd00:1::7", 8443, ALLOWED) == ""
    assert refusal(scheme, "127.0.0.1", 8101, ALLOWED)
    assert refusal(scheme, "127.0.0.2", 8100, ALLOWED)
    assert refusal(scheme, "fd00:2::7", 8443, ALLOWED)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ftp://1.1.1.1/", "https://"),
        ("venue.example", "https://"),
        ("//venue.example", "https://"),
        ("", "https://"),
        ("https:///x", "host"),
        ("https://", "host"),
        ("https://:443/", "host"),
        ("https://[::1", "read"),
        ("https://[v1.x]/", "read|host"),
        ("https://a b/", "valid"),
        ("https://a\\b/", "host"),
        ("https://good.example\\@evil.example/", "user name"),
        ("https://user@venue.example/", "user name"),
        ("https://user:secret@venue.example/", "user name"),
        ("https://venue.example./", "dot"),
        ("https://venue..example/", "valid"),
        (f"https://{'a' * 64}.example/", "valid"),
        (f"https://{'a.' * 127}example/", "valid"),
        ("https://venue.example:0/", "port"),
        ("https://venue.example:65536/", "port"),
        ("https://venue.example:http/", "port"),
        ("https://venue.example:/", "port"),
        ("https://2130706433/", "four decimal"),
        ("https://0x7f000001/", "four decimal"),
        ("https://0x7f.1/", "four decimal"),
        ("https://0177.0.0.1/", "four decimal"),
        ("https://127.1/", "four decimal"),
        ("https://1.2.3.4.5/", "four decimal"),
        ("https://①②⑦.0.1/", "four decimal"),
        ("https://xn\u00ad--\ud800/", "international"),
        ("https://a\u0300\u200d.example/", "international"),
        ("https://venue.example\n/", "control"),
        ("https://ven\tue.example/", "control"),
        ("https://venue.example/#part", "#"),
        ("https://127.0.0.1/", "private"),
        ("https://①②⑦.⓪.⓪.①/", "private"),
        ("https://127。0。0。1/", "private"),
        ("https://[::1]/", "private"),
        ("https://[::ffff:7f00:1]/", "private"),
        ("https://169.254.169.254/latest", "private"),
        ("https://localhost/", "private"),
        ("http://venue.example/", "Plain http"),
        ("https://venue/", "without a dot"),
        ("https://venue:8444/hooks", "without a dot"),
        ("http://venue/", "Plain http"),
        ("http://1.1.1.1/", "Plain http"),
        ("http://127.0.0.1:8101/", "Plain http"),
    ],
)
def test_a_bad_base_url_is_refused_with_a_sentence(url: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as raised:
        check_target(url, ALLOWED)
    said = str(raised.value)
    assert said.endswith(".")
    assert said[0].isupper()
    assert "secret" not in said


@pytest.mark.parametrize(
    "url",
    [
        "https://venue.example",
        "https://venue.example:8443/api?tenant=1",
        "https://1.1.1.1/x",
        "https://[2606:4700::1111]:8443/",
        "https://bücher.example/",
        "http://127.0.0.1:8100/x",
        "http://localhost:8100/x",
        "http://inside.example:8443/",
        "http://inside:8443/",
        "https://inside:8443/hooks",
        "http://[fd00:1::7]:8443/",
    ],
)
def test_a_good_base_url_may_be_saved(url: str) -> None:
    check_target(url, ALLOWED)


@given(st.text(max_size=30))
def test_no_text_leads_anywhere_but_to_a_plain_host(text: str) -> None:
    try:
        origin = read_origin(f"https://{text}/")
    except ValueError:
        return
    assert origin.host.isascii()
    assert origin.host == origin.host.lower()
    assert not set(origin.host) & set("@/\\#?%[] ")
    assert 0 < origin.port < 65536


def test_the_host_header_names_what_the_url_names() -> None:
    assert read_origin("https://BÜCHER.example/").header == "xn--bcher-kva.example"
    assert read_origin("https://venue.example:443/").header == "venue.example"
    assert read_origin("http://venue.example:8080/").header == "venue.example:8080"
    assert read_origin("https://[2606:4700::1111]:8443/").header == "[2606:4700::1111]:8443"
