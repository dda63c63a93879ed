"""The kinds of systems, by what each says of our account there; vendors and channels enter themselves at the start."""

from collections.abc import Mapping

from integrations.accounts.rules import AccountRules

_rules: dict[str, AccountRules] = {}


def register_account(kind: str, rules: AccountRules) -> None:
    """Say what a kind of system takes."""
    _rules[kind] = rules


def account_of(kind: str) -> AccountRules:
    """The rules of a kind; of one that nobody has entered, those that ask for nothing."""
    return _rules.get(kind) or AccountRules()


def accounts() -> Mapping[str, AccountRules]:
    """All rules, by kind."""
    return _rules
