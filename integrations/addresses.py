"""Which addresses may be called: public ones over https, and what the operator lists as ``CIDR:port``."""

import ipaddress
import socket
from collections.abc import Sequence
from urllib.parse import urlsplit

from integrations.errors import NetworkError, OurFault

_DEFAULT_PORTS = {"http": 80, "https": 443}


def check_url(url: str, allowed: Sequence[str]) -> None:
    """Pass when every address that the host resolves to may be called.

    Raises:
        OurFault: not an http(s) URL, a private address, or plain http, and not on the operator's list.
        NetworkError: the name does not resolve.
    """
    parts = urlsplit(url)
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        raise OurFault("the system's base URL must be an https URL")
    port = parts.port or _DEFAULT_PORTS[parts.scheme]
    for address in _resolve(parts.hostname, port):
        if _is_listed(address, port, allowed):
            continue
        if parts.scheme != "https":
            raise OurFault("plain http may be spoken to targets in WEDSYNC_OUTBOUND_ALLOW only")
        if not address.is_global:
            raise OurFault("the system's base URL leads to a private address that WEDSYNC_OUTBOUND_ALLOW does not list")


def _resolve(host: str, port: int) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise NetworkError("the host name of the system's base URL does not resolve") from error
    return [_unmapped(ipaddress.ip_address(entry[4][0])) for entry in found]


def _unmapped(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """An IPv4-mapped IPv6 address as the IPv4 address that it reaches."""
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped or address


def _is_listed(address: ipaddress.IPv4Address | ipaddress.IPv6Address, port: int, allowed: Sequence[str]) -> bool:
    for entry in allowed:
        network, _, listed_port = entry.rpartition(":")
        if int(listed_port) == port and address in ipaddress.ip_network(network, strict=False):
            return True
    return False
