"""Which credentials each kind of system takes, and what a change of them or of the base URL asks for."""

from __future__ import annotations

from collections.abc import Mapping

from integrations.accounts.rules import Credential
from integrations.outbound.guard import read_origin
from integrations.registry.accounts import account_of, accounts
from wedsync import named_credentials

LONGEST = 2000


def every() -> dict[Credential, tuple[str, ...]]:
    """All credentials, each with the kinds that take it."""
    found: dict[Credential, tuple[str, ...]] = {}
    for kind, rules in accounts().items():
        for credential in rules.credentials:
            found[credential] = (*found.get(credential, ()), kind)
    return found


def credentials_of(kind: str) -> dict[str, Credential]:
    """Those that a kind of system takes, by name."""
    return {credential.name: credential for credential in account_of(kind).credentials}


class Misfit(ValueError):
    """Credentials that do not fit each other; a sentence. ``name``: the credential at which the form says it."""

    def __init__(self, name: str, said: str) -> None:
        super().__init__(said)
        self.name = name


def check_together(kind: str, stored: Mapping[str, str], entered: Mapping[str, str | None]) -> None:
    """Pass a change after which the credentials that are judged together fit, or that touches none of these.

    Arguments:
        entered: those of the change, by name; ``None`` removes one.

    Raises:
        Misfit: they would not fit.
    """
    rules = account_of(kind)
    if not set(rules.judged_together) & set(entered):
        return
    try:
        rules.check_together({**stored, **entered})
    except ValueError as error:
        raise Misfit(rules.judged_together[0], str(error)) from error


def to_be_entered_anew(
    kind: str, stored: Mapping[str, str], entered: Mapping[str, str | None], places: tuple[str, str]
) -> dict[str, list[str]]:
    """The secrets that a change would send to another place than the one for which they were entered.

    Someone who may change where a system is must not thereby see secrets that others entered (docs/adr/0053).

    Arguments:
        stored: the credentials as they are stored.
        entered: those of the change, by name; ``None`` removes one.
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
    except ValueError:  # a row may be older than the checks of base URLs
        return True


def _is_secret(credential: Credential | None, value: str) -> bool:
    return credential is None or credential.secret or named_credentials.is_named(value)
