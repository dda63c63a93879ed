"""Makes the other side's text safe for an attempt's row: it may repeat a credential or contain anything."""

import base64
import json
from collections.abc import Iterable, Iterator
from email.utils import parseaddr
from functools import lru_cache
from itertools import permutations
from urllib.parse import quote

from integrations.credentials.kinds import credentials_of
from integrations.models import System
from wedsync import named_credentials, vault
from wedsync.env import ConfigurationError

HIDDEN = "•••"
SHORTEST = 6  # shorter values occur in ordinary words


def secrets_of(system: System) -> tuple[str, ...]:
    """The values used in calls to a system that nobody may read, longest first.

    These are its secret credentials and all values from the environment, even those that would otherwise not be secret;
    each as it is, as in JSON and URLs, and as in login headers. Empty if they cannot be decrypted, since then the
    system was not called.
    """
    try:
        stored, values = vault.as_stored(system.sealed_credentials), system.credentials
    except ConfigurationError:
        return ()
    named = frozenset(name for name, value in stored.items() if named_credentials.is_named(value))
    return _hidden(system.kind, tuple(values.items()), named)


@lru_cache(maxsize=1_000)
def _hidden(kind: str, credentials: tuple[tuple[str, str], ...], named: frozenset[str]) -> tuple[str, ...]:
    """The values to hide; cached, since each attempt needs them."""
    known, values = credentials_of(kind), dict(credentials)
    hidden = {name for name in values if name in named or name not in known or known[name].secret}
    found = {form for name in hidden for form in _forms(values[name]) if name in named or len(form) >= SHORTEST}
    found |= {form for form in _logins(values, hidden) if len(form) >= SHORTEST}
    return tuple(sorted(found - {""}, key=len, reverse=True))


def _forms(value: str) -> Iterator[str]:
    name, address = parseaddr(value)
    parts = (name, address, address.rpartition("@")[2]) if "@" in address else ()
    for part in {value, value.strip(), value.strip("/"), *(part for part in parts if len(part) >= SHORTEST)}:
        yield from (part, json.dumps(part)[1:-1], quote(part), quote(part, safe=""))


def _logins(values: dict[str, str], hidden: set[str]) -> Iterator[str]:
    """The values as written by ``Basic`` and SMTP's ``AUTH``."""
    pairs = [pair for pair in permutations(values, 2) if hidden & set(pair)]
    texts = [values[name] for name in hidden] + [f"api:{values[name]}" for name in hidden]
    texts += [f"{values[one]}:{values[other]}" for one, other in pairs]
    texts += [f"\0{values[one]}\0{values[other]}" for one, other in pairs]
    return (base64.b64encode(text.encode()).decode() for text in texts)


def for_row(text: str, secrets: Iterable[str], most: int) -> str:
    """At most ``most`` characters, without secrets and without characters that PostgreSQL cannot store."""
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    return text.encode("utf-8", "replace").decode().replace("\x00", "")[:most]
