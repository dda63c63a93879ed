"""The credentials of each kind of system, and the requirements on a change of them or of the base URL."""

from __future__ import annotations

from collections.abc import Mapping

from integrations.accounts.rules import Credential
from integrations.outbound.guard import read_origin
from integrations.registry.accounts import account_of, accounts
from wedsync import named_credentials

LONGEST = 2000


def every() -> dict[Credential, tuple[str, ...]]:
    """All credentials, each with the kinds that use it."""
    found: dict[Credential, tuple[str, ...]] = {}
    for kind, rules in accounts().items():
        for credential in rules.credentials:
            found[credential] = (*found.get(credential, ()), kind)
    return found


def credentials_of(kind: str) -> dict[str, Credential]:
    """The credentials of a kind of system, by name."""
    return {credential.name: credential for credential in account_of(kind).credentials}


class Misfit(ValueError):
    """Credentials do not fit each other; the message is a sentence. ``name``: the field that shows it."""

    def __init__(self, name: str, said: str) -> None:
        super().__init__(said)
        self.name = name


def check_together(kind: str, stored: Mapping[str, str], entered: Mapping[str, str | None]) -> None:
    """Accept a change that leaves the credentials that are checked together fitting, or touches none of them.

    Arguments:
        entered: the changed credentials, by name; ``None`` removes one.

    Raises:
        Misfit: they would not fit each other.
    """
    rules = account_of(kind)
    if not set(rules.judged_together) & set(entered):
        return
    try:
        rules.check_together({**stored, **entered})
    except ValueError as error:
        raise Misfit(rules.judged_together[0], str(error)) from error


def secrets_to_reenter(
    kind: str, stored: Mapping[str, str], entered: Mapping[str, str | None], places: tuple[str, str]
) -> dict[str, list[str]]:
    """The secrets that a change would send to another place than the one they were entered for.

    Someone who may change a system's address must not be able to obtain secrets that others entered (docs/adr/0053).

    Arguments:
        stored: the stored credentials.
        entered: the changed credentials, by name; ``None`` removes one.
        places: the base URL before and after.

    Returns:
        By the field that leads elsewhere (``base_url`` or ``host``), the names of the secrets.
    """
    known = credentials_of(kind)
    kept = [name for name in stored if name not in entered and _is_secret(known.get(name), stored[name])]
    if kept and leads_elsewhere(*places):
        return {"base_url": kept}
    changed = {**stored, **entered}
    moved = any((stored.get(name) or "") != (changed.get(name) or "") for name in ("host", "port"))
    of_login = [name for name in kept if name == "password"]
    return {"host": of_login} if moved and of_login else {}


def leads_elsewhere(before: str, after: str) -> bool:
    """Whether two base URLs have different origins: scheme, host and port."""
    try:
        return before != after and read_origin(before) != read_origin(after)
    except ValueError:  # the row may be older than the checks of base URLs
        return True


def _is_secret(credential: Credential | None, value: str) -> bool:
    return credential is None or credential.secret or named_credentials.is_named(value)
