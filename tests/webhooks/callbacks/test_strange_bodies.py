"""Whatever is signed: an adapter reads it or says that it cannot, and what it read can be stored."""

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from hypothesis import given
from hypothesis import strategies as some

from webhooks.callbacks import PROVIDERS
from webhooks.callbacks.base import Unreadable
from webhooks.models import ProviderNotice
from wedsync.wire import strict_json

NOW = datetime(2026, 6, 19, tzinfo=UTC)
WORDS = [
    "entry", "changes", "field", "value", "metadata", "statuses", "messages", "errors", "id", "status", "type",
    "timestamp", "time", "phone_number_id", "text", "data", "email_id", "created_at", "container", "message",
    "message_ts", "ts", "view", "actions", "action_ts", "token", "email.sent", "block_actions",
]  # fmt: skip
words = some.sampled_from(WORDS) | some.text(max_size=20)
leaves = some.none() | some.booleans() | some.integers() | some.floats(allow_nan=False, allow_infinity=False) | words
values = some.recursive(
    leaves, lambda inner: some.lists(inner, max_size=4) | some.dictionaries(words, inner, max_size=5), max_leaves=25
)
bodies = some.dictionaries(words, values, max_size=5)
metas = values.map(lambda value: {"entry": [{"changes": [{"field": "messages", "value": {"statuses": [value]}}]}]})


@given(bodies | metas, some.binary(max_size=200))
def test_no_body_is_too_strange(body: dict[str, Any], junk: bytes) -> None:
    text = json.dumps(body)
    for content in (text.encode(), urlencode({"payload": text}).encode(), junk):
        for provider in PROVIDERS.values():
            try:
                notices = provider.read({"svix-id": ["msg_1"]}, content, NOW)
            except Unreadable:
                continue
            assert notices
            for notice in notices:
                assert 1 <= len(notice.dedup_id) <= 200
                assert len(notice.name) <= 64
                assert len(notice.provider_id) <= 200
                assert notice.kind in ProviderNotice.Kind
                assert notice.occurred_at.tzinfo is UTC
                parts = [notice.dedup_id, notice.name, notice.provider_id, notice.data]
                assert strict_json.is_storable(json.loads(json.dumps(parts, allow_nan=False)))
