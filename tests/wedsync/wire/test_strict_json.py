"""What counts as JSON at the door."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wedsync.wire.strict_json import NotStrictJson, is_storable, loads

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b'{"a":NaN}', "NaN"),
        (b'{"a":-Infinity}', "Infinity"),
        (b'{"a":1,"a":2}', "twice"),
        (b'{"a":"\xff"}', "UTF-8 at byte 6"),
        (b"[" * 33 + b"]" * 33, "deeper than 32"),
        (b"[" * 100_000, "deeper than 32|not JSON"),
        (b'{"a":' * 40 + b"1" + b"}" * 40, "deeper than 32"),
        (b"9" * 5000, "too long"),
        (b"[1e400]", "too large"),
        (b'"\x01"', "not JSON"),
    ],
)
def test_what_is_not_strict_is_refused_with_its_reason(body: bytes, reason: str) -> None:
    with pytest.raises(NotStrictJson, match=reason):
        loads(body)


@given(JSON)
def test_every_ordinary_value_passes(value: object) -> None:
    text = json.dumps(value)
    if text.count("[") + text.count("{") < 30:
        assert loads(text.encode()) == value


def test_depth_32_passes() -> None:
    assert loads(b"[" * 32 + b"]" * 32)


@pytest.mark.parametrize("value", ["\x00", {"a\x00": 1}, [{"a": "b\x00"}], "\ud800"])
def test_what_postgresql_can_not_store_is_seen_anywhere(value: object) -> None:
    assert not is_storable(value)
    assert is_storable({"a": ["b", 1, None, "ü🔦"]})


def test_a_byte_order_mark_before_the_value_is_taken_and_nowhere_else() -> None:
    assert loads(b'\xef\xbb\xbf{"a":1}') == {"a": 1}
    for body in (b'\xef\xbb\xbf\xef\xbb\xbf{"a":1}', b'{"a":1}\xef\xbb\xbf', b"\xff\xfe{}"):
        with pytest.raises(NotStrictJson):
            loads(body)
