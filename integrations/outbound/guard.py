"""Which addresses may be called: public ones over https, and those that the operator lists as ``CIDR:port``.

All addresses outside the special ranges are public: https://www.iana.org/assignments/iana-ipv4-special-registry,
https://www.iana.org/assignments/iana-ipv6-special-registry. The table is our own because ``ipaddress.is_global`` counts
multicast and some others as global, and changes between Python versions. docs/adr/0027.
"""

import ipaddress
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urlsplit

import idna

from wedsync.env_forms import allowed_target

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_DEFAULT_PORTS = {"http": 80, "https": 443}
_FORBIDDEN_V4 = tuple(
    map(
        ipaddress.IPv4Network,
        (
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
            "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16",
            "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
            "168.63.129.16/32",  # looks public, but is Azure's platform inside every virtual machine
        ),
    )
)  # fmt: skip
_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")
# 2001::/23 belongs to the IETF and contains Teredo, benchmarks and ORCHID.
_FORBIDDEN_V6 = tuple(map(ipaddress.IPv6Network, ("2001::/23", "2001:db8::/32", "2620:4f:8000::/48", "3fff::/20")))
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_LABEL = re.compile(r"[a-z0-9_-]{1,63}")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_PLACE = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<host>[^\[\]:@/\\]+))(?::(?P<port>[0-9]{1,5}))?")


class Origin(NamedTuple):
    """The scheme, host and port of a URL. ``host``: lower-case ASCII; an IPv6 address without brackets."""

    scheme: str
    host: str
    port: int

    @property
    def literal(self) -> bool:
        """Whether the host is an address and needs no name server."""
        return ":" in self.host or self.host.rpartition(".")[2].isdigit()

    @property
    def header(self) -> str:
        """The value of the ``Host`` header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


def read_origin(url: str) -> Origin:
    """The URL's origin; only URLs that every parser reads alike are accepted.

    Raises:
        ValueError: not an http(s) URL, or an ambiguous one. The message does not contain the URL.
    """
    if _CONTROL.search(url):
        raise ValueError("the URL contains a control character")
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise ValueError("the URL cannot be read") from error
    return _origin(parts.scheme, parts.netloc)


@lru_cache(1024)
def _origin(scheme: str, netloc: str) -> Origin:
    if scheme not in _DEFAULT_PORTS:
        raise ValueError("the URL must begin with https://")
    if "@" in netloc:
        raise ValueError("the URL must not contain a user name or a password")
    place = _PLACE.fullmatch(netloc)
    if place is None:
        raise ValueError("the URL needs a host, which only a colon and a port may follow")
    port = int(place["port"]) if place["port"] else _DEFAULT_PORTS[scheme]
    if not 0 < port < 65536:
        raise ValueError("the port must be between 1 and 65535")
    return Origin(scheme, str(ipaddress.IPv6Address(place["v6"])) if place["v6"] else _host(place["host"]), port)


def _host(text: str) -> str:
    host = text.lower()
    if not host.isascii():
        try:
            host = idna.encode(host, uts46=True).decode()
        except idna.IDNAError as error:
            raise ValueError("the host's name is not a valid international name") from error
    if host.endswith("."):
        raise ValueError("the host must not end in a dot")
    labels = host.split(".")
    if len(host) > 253 or not all(map(_LABEL.fullmatch, labels)):
        raise ValueError("the host's name is not valid")
    if not _NUMBER.fullmatch(labels[-1]):
        return host
    try:
        return str(ipaddress.IPv4Address(host))
    except ValueError as error:
        raise ValueError("an IPv4 address must be written as four decimal numbers") from error


@lru_cache(4096)
def refusal(scheme: str, address: str, port: int, allowed: tuple[str, ...]) -> str:
    """Why the address must not be called, or an empty text."""
    found = _unmapped(ipaddress.ip_address(address))
    if any(port == listed and found in network for network, listed in map(allowed_target, allowed)):
        return ""
    if scheme != "https":
        return "plain http is only allowed for targets in WEDSYNC_OUTBOUND_ALLOW"
    if not is_public(found):
        return "the URL leads to a private address that WEDSYNC_OUTBOUND_ALLOW does not list"
    return ""


def is_public(address: Address) -> bool:
    """Whether the address, or the IPv4 address that it wraps, is public."""
    address = _unmapped(address)
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _FORBIDDEN_V4)
    if address in _NAT64:
        return is_public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    if address.sixtofour is not None:
        return is_public(address.sixtofour)
    return address in _GLOBAL_V6 and not any(address in network for network in _FORBIDDEN_V6)


def _unmapped(address: Address) -> Address:
    """An IPv4-mapped IPv6 address as its IPv4 address."""
    return getattr(address, "ipv4_mapped", None) or address


def check_target(url: str, allowed: Sequence[str]) -> None:
    """Accept a base URL that staff may save. Asks no name server: a name's addresses are checked at each call.

    Raises:
        ValueError: with a sentence for the form's field.
    """
    try:
        origin = read_origin(url)
        if "#" in url:
            raise ValueError("the URL must not contain a #")
        reason = _visible_refusal(origin, tuple(allowed))
    except ValueError as error:
        reason = str(error)
    if reason:
        raise ValueError(f"{reason[0].upper()}{reason[1:]}.")


def checked_base_url(url: str, allowed: Sequence[str]) -> str:
    """A base URL as it is stored, without a trailing slash. The form and the API accept the same URLs.

    Raises:
        ValueError: with a sentence for the field.
    """
    check_target(url, allowed)
    if "?" in url:
        raise ValueError("The URL must not contain a query.")
    return url.rstrip("/")


def check_mail_server(host: str, port: int, allowed: Sequence[str], *, encrypted: bool) -> None:
    """Accept a mail server that staff may save, by the rule for base URLs.

    Raises:
        ValueError: with a sentence for the field.
    """
    place = f"[{host}]" if ":" in host else host
    origin = read_origin(f"{'https' if encrypted else 'http'}://{place}:{port}")
    if _visible_refusal(origin, tuple(allowed)):
        kind = "with a public name, or one" if encrypted else "only"
        raise ValueError(f"It must be a server {kind} that WEDSYNC_OUTBOUND_ALLOW covers, on port {port}.")


def _visible_refusal(origin: Origin, allowed: tuple[str, ...]) -> str:
    """The refusal that can be judged from the URL alone, or an empty text.

    A name over plain http, or an internal one, without a dot, passes if its port is listed for any address.
    """
    if origin.literal:
        return refusal(origin.scheme, origin.host, origin.port, allowed)
    if origin.host == "localhost" or origin.host.endswith(".localhost"):
        return refusal(origin.scheme, "127.0.0.1", origin.port, allowed)
    if any(origin.port == port for _, port in map(allowed_target, allowed)):
        return ""
    if origin.scheme != "https":
        return "plain http is only allowed for targets in WEDSYNC_OUTBOUND_ALLOW"
    if "." not in origin.host:
        return "a host without a dot is internal, and WEDSYNC_OUTBOUND_ALLOW lists no target on its port"
    return ""
