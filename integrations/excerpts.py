"""What the other side said, as it may be kept in an attempt's row: it may repeat a credential, or hold anything."""

from collections.abc import Iterable

from integrations.credentials import credentials_of
from integrations.models import System
from wedsync.env import ConfigurationError

HIDDEN = "•••"
SHORTEST = 6  # what is shorter stands in ordinary words


def secrets_of(system: System) -> list[str]:
    """The values with which a system is called; none where they can not be read, for then it was not called."""
    try:
        values = system.credentials
    except ConfigurationError:
        return []
    named = credentials_of(system.kind)
    secret = (value for name, value in values.items() if name not in named or named[name].secret)
    return sorted((value for value in secret if len(value) >= SHORTEST), key=len, reverse=True)


def for_row(text: str, secrets: Iterable[str], most: int) -> str:
    """At most so many characters without secrets, and without what PostgreSQL can not store."""
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    return text.encode("utf-8", "replace").decode().replace("\x00", "")[:most]
