"""The forms of environment variables: each function reads a text, or raises ``ValueError``."""

import ipaddress
import re
from urllib.parse import urlsplit

CREDENTIAL_PREFIX = "WEDSYNC_CREDENTIAL_"
_VAPID_KEY = re.compile(r"[A-Za-z0-9_-]{43}")
_VAPID_CONTACT = re.compile(r"mailto:[^@\s]+@[A-Za-z0-9.-]+|https://[A-Za-z0-9.-]+")
_HOST_NAME = re.compile(r"(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*")
_ORIGIN = re.compile(r"https?://([a-z0-9._-]+|\[[0-9a-f:]+\])(:[0-9]{1,5})?")
_LISTED_CREDENTIAL = re.compile(rf"[A-Za-z0-9_-]+:{CREDENTIAL_PREFIX}[A-Za-z0-9_]+")


def flag(text: str) -> bool:
    """1 or true, 0 or false."""
    if text.lower() not in {"0", "1", "true", "false"}:
        raise ValueError(text)
    return text.lower() in {"1", "true"}


def words(text: str) -> tuple[str, ...]:
    """Words separated by commas."""
    return tuple(word.strip() for word in text.split(",") if word.strip())


def seconds_list(text: str) -> tuple[float, ...]:
    """Numbers separated by commas."""
    return tuple(float(word) for word in words(text))


def url(text: str) -> str:
    """An http(s) URL, or nothing."""
    parts = urlsplit(text)
    if text and (parts.scheme not in {"http", "https"} or not parts.hostname):
        raise ValueError("not a URL")
    return text


def networks(text: str) -> tuple[str, ...]:
    """Networks separated by commas."""
    return tuple(str(ipaddress.ip_network(word)) for word in words(text))


def origins(text: str) -> tuple[str, ...]:
    """Origins of pages, separated by commas: scheme, host and port, unless it is the scheme's own."""
    found = tuple(words(text.lower()))
    if not all(map(_ORIGIN.fullmatch, found)):
        raise ValueError("an entry is not scheme://host or scheme://host:port")
    return found


def allowed_target(entry: str) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, int]:
    """Network and port of an entry such as ``10.1.0.0/16:8443``, ``[fd00::/8]:443`` or ``fd00::/8:443``.

    Raises:
        ValueError: not readable, or ambiguous: an IPv6 address without brackets or prefix length could end in the port.
    """
    network, colon, port = entry.rpartition(":")
    if network.startswith("["):
        network = re.sub(r"^\[([^\[\]/]+)(?:\](/[0-9]+)?|(/[0-9]+)\])$", r"\1\2\3", network)
    elif ":" in network and "/" not in network:
        raise ValueError("an IPv6 address without brackets needs a prefix length, for instance fd00::1/128:443")
    if not colon or not re.fullmatch(r"[0-9]{1,5}", port) or not 0 < int(port) < 65536:
        raise ValueError("the entry does not end in a colon and a port")
    return ipaddress.ip_network(network), int(port)


def allowed_targets(text: str) -> tuple[str, ...]:
    """Entries of :func:`allowed_target`, separated by commas."""
    found = [allowed_target(word) for word in words(text)]
    return tuple(f"[{network}]:{port}" if network.version == 6 else f"{network}:{port}" for network, port in found)


def listed_credentials(text: str) -> frozenset[str]:
    """Entries ``slug:NAME``, separated by commas."""
    found = frozenset(words(text))
    if not all(map(_LISTED_CREDENTIAL.fullmatch, found)):
        raise ValueError("an entry is not slug:NAME")
    return found


def vapid_key(text: str) -> str:
    """A private key: 32 bytes in URL-safe base64, or nothing."""
    if text and not _VAPID_KEY.fullmatch(text):
        raise ValueError("not 32 bytes in URL-safe base64")
    return text


def vapid_contact(text: str) -> str:
    """A ``mailto:`` address or ``https://host``, or nothing."""
    if text and not _VAPID_CONTACT.fullmatch(text):
        raise ValueError("not a mailto: address or https://host")
    return text


def host_names(text: str) -> tuple[str, ...]:
    """Names of hosts in lower case, separated by commas; ``*.`` before one means all names below it."""
    found = tuple(word.lower() for word in words(text))
    if not all(map(_HOST_NAME.fullmatch, found)):
        raise ValueError("an entry is not a host's name")
    return found
