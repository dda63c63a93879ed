"""The account rules of each kind of system; vendors and channels register theirs when they start."""

from collections.abc import Mapping

from integrations.accounts.rules import AccountRules

_rules: dict[str, AccountRules] = {}


def register_account(kind: str, rules: AccountRules) -> None:
    """Register the rules of a kind of system."""
    _rules[kind] = rules


def account_of(kind: str) -> AccountRules:
    """The rules of a kind; if none are registered, rules without requirements."""
    return _rules.get(kind) or AccountRules()


def accounts() -> Mapping[str, AccountRules]:
    """All rules, by kind."""
    return _rules
