"""Where the Python client stands: every event once and in order, whatever comes twice or too early."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.python.wedsync_live.messages import Position
from clients.python.wedsync_live.positions import GapError, Positions


@given(st.lists(st.integers(1, 12), max_size=60), st.integers(0, 5))
def test_whatever_comes_only_the_next_event_is_shown(sequences: list[int], start: int) -> None:
    positions = Positions(["a:b:c"], {"a:b:c": {"last": start, "epoch": "e"}})
    shown = []
    for sequence in sequences:
        try:
            if positions.takes("a:b:c", sequence):
                shown.append(sequence)
        except GapError:
            assert sequence > positions.at["a:b:c"].last + 1

    assert shown == list(range(start + 1, start + 1 + len(shown)))


def test_an_unknown_position_is_learnt_and_the_state_is_to_be_loaded() -> None:
    positions = Positions(["a:b:c"])

    assert positions.starts(["a:b:c"]) == {"a:b:c": {}}
    assert not positions.takes("a:b:c", 1)
    assert positions.begins("a:b:c", {"ok": True, "epoch": "e", "last": 3})
    assert positions.at == {"a:b:c": Position(3, "e")}


@pytest.mark.parametrize(
    ("answer", "lost", "then"),
    [
        ({"epoch": "e", "last": 9}, False, Position(7, "e")),
        ({"epoch": "the row's", "last": 9}, False, Position(7, "the row's")),
        ({"epoch": "other", "last": 9, "recovered": False}, True, Position(9, "other")),
        ({"epoch": "e", "last": 2, "recovered": False, "oldest": 1}, True, Position(2, "e")),
    ],
)
def test_an_answer_says_whether_the_position_was_kept(answer: dict[str, object], lost: bool, then: Position) -> None:
    positions = Positions(["a:b:c"], {"a:b:c": Position(7, "e")})

    assert positions.begins("a:b:c", answer) is lost
    assert positions.at["a:b:c"] == then


def test_a_loaded_state_moves_positions_and_says_what_to_follow_anew() -> None:
    positions = Positions(["same:a:b", "back:a:b", "other:a:b", "new:a:b", "left:a:b"])
    positions.put({"same:a:b": Position(3, "e"), "back:a:b": Position(3, "e"), "other:a:b": Position(3, "e")})

    anew = positions.put(
        {
            "same:a:b": {"last": 5, "epoch": "e"},
            "back:a:b": {"last": 2, "epoch": "e"},
            "other:a:b": {"last": 9, "epoch": "f"},
            "new:a:b": {"last": 1, "epoch": "e"},
        }
    )

    assert anew == ["back:a:b", "other:a:b", "new:a:b"]
    assert positions.starts(["same:a:b", "left:a:b"]) == {"same:a:b": {"after": 5, "epoch": "e"}, "left:a:b": {}}
