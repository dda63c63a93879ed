"""What is read from the JSON of an answer, whatever it holds."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.outbound import Response

DEEP = b"[" * 100_000
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "error", "code"]), inner),
)
PATHS = st.lists(st.sampled_from(["id", "error", "code", 0, 1]), max_size=3)


def answer(body: bytes) -> Response:
    return Response(200, {}, body)


@given(JSON, PATHS)
def test_any_place_of_any_json_can_be_asked_for(value: Any, path: list[str | int]) -> None:
    said = answer(json.dumps(value).encode("utf-8", "surrogatepass"))

    said.value_at(*path)
    assert isinstance(said.text_at(*path), str)
    assert isinstance(said.number_at(*path), int | None)


@pytest.mark.parametrize("body", [b"", b"not JSON", b"\xff\xfe", b'{"id": ', DEEP, b'{"id": ' + DEEP])
def test_what_is_no_json_has_no_values(body: bytes) -> None:
    said = answer(body)

    assert (said.value_at("id"), said.text_at("id"), said.number_at("id")) == (None, "", None)


def test_a_value_is_found_by_keys_and_indexes() -> None:
    said = answer(b'{"messages": [{"id": "wamid.1"}], "error": {"code": "131026"}, "gone": null, "flag": true}')

    assert said.text_at("messages", 0, "id") == "wamid.1"
    assert said.number_at("error", "code") == 131026
    assert said.text_at("gone") == said.text_at("flag") == ""
