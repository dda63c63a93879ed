"""Each kind of system says itself what its credentials are."""

from __future__ import annotations

from collections import Counter

import pytest

from integrations.credentials.kinds import Misfit, check_together, every
from integrations.models import System
from integrations.registry.accounts import accounts


def test_every_kind_has_entered_its_account() -> None:
    assert set(accounts()) == set(System.Kind.values)


def test_kinds_that_share_a_credentials_name_share_the_credential() -> None:
    assert [name for name, count in Counter(each.name for each in every()).items() if count > 1] == []


@pytest.mark.parametrize("kind", System.Kind.values)
def test_what_a_kind_needs_and_judges_it_also_takes(kind: str) -> None:
    rules = accounts()[kind]
    names = {credential.name for credential in rules.credentials}

    assert {*rules.needed({}), *rules.judged_together} <= names


def test_credentials_are_judged_together_only_where_one_of_them_is_entered() -> None:
    stored = {"provider": "smtp", "host": "127.0.0.1", "tls": "none"}

    check_together("email", stored, {"from": "hello@lakeside.example"})
    with pytest.raises(Misfit) as refused:
        check_together("email", stored, {"port": "2525"})
    assert refused.value.name == "host"
