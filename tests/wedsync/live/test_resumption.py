"""Where a client that returns goes on."""

import pytest

from wedsync.live.log.reader import Position
from wedsync.live.log.resumption import Start, resume

WHOLE = Position(("one", "earlier"), last=20, oldest=1)
SHORTENED = Position(("one",), last=20, oldest=11)
EMPTIED = Position(("one",), last=20, oldest=21)
UNWRITTEN = Position(("one",), last=0, oldest=1)


@pytest.mark.parametrize(
    ("where", "after", "epoch"),
    [
        (WHOLE, 0, None),
        (WHOLE, 20, "one"),
        (WHOLE, 12, "earlier"),
        (SHORTENED, 10, "one"),
        (EMPTIED, 20, "one"),
        (UNWRITTEN, 0, "one"),
    ],
)
def test_a_client_goes_on_after_its_cursor_where_everything_since_is_kept(
    where: Position, after: int, epoch: str | None
) -> None:
    resumed = resume(Start(after, epoch), where)

    assert resumed.cursor == after
    assert resumed.answer == {"epoch": "one", "last": where.last, "recovered": True}


@pytest.mark.parametrize(
    ("where", "after", "epoch", "oldest"),
    [
        (WHOLE, 21, "one", 1),
        (WHOLE, 12, "another", 1),
        (WHOLE, 12, 7, 1),
        (WHOLE, 12, ["one"], 1),
        (SHORTENED, 9, "one", 11),
        (EMPTIED, 19, "one", 21),
        (UNWRITTEN, 1, "one", 1),
    ],
)
def test_a_client_whose_events_are_not_all_kept_gets_none_of_them_and_learns_what_is(
    where: Position, after: int, epoch: object, oldest: int
) -> None:
    resumed = resume(Start(after, epoch), where)

    assert resumed.cursor == where.last
    assert resumed.answer == {"epoch": "one", "last": where.last, "recovered": False, "oldest": oldest}


def test_a_client_without_a_cursor_goes_on_from_now_and_has_nothing_to_recover() -> None:
    resumed = resume(Start(), WHOLE)

    assert (resumed.cursor, resumed.recovered) == (20, None)
    assert resumed.answer == {"epoch": "one", "last": 20}
