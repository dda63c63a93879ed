"""An invented ticket is refused without a query."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import ApiKeyFactory
from wedsync.live.access import ticket_texts, tickets


def test_what_we_made_is_ours_and_no_change_of_it_is() -> None:
    text = ticket_texts.new()

    assert ticket_texts.is_ours(text)
    for place in range(len(text)):
        changed = text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :]
        assert not ticket_texts.is_ours(changed)
    assert not ticket_texts.is_ours(text[:-1])
    assert not ticket_texts.is_ours(text + "A")


@given(st.text(max_size=100))
def test_no_invented_text_is_ours(text: str) -> None:
    assert not ticket_texts.is_ours(text)
    assert not ticket_texts.is_ours(f"wst_{text}")


def test_a_text_of_another_secret_is_not_ours(settings: Any) -> None:
    text = ticket_texts.new()
    settings.SECRET_KEY = "another"

    assert not ticket_texts.is_ours(text)


@pytest.mark.django_db
def test_an_invented_ticket_costs_no_query_and_a_real_one_is_redeemed() -> None:
    key = ApiKeyFactory()
    text, _ = tickets.issue(key.organization_id, api_key_id=key.id)
    with CaptureQueriesContext(connection) as queries:
        assert tickets.redeem("wst_invented") is None
        assert tickets.redeem(text[:-1] + ("A" if text[-1] != "A" else "B")) is None
    assert len(queries) == 0

    entry = tickets.redeem(text)

    assert entry is not None
    assert entry.organization_id == key.organization_id
