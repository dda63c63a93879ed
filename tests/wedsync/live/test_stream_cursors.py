"""The cursor of a stream: compact, of all its channels, and never misread."""

import base64
import random

import pytest

from wedsync.live.log.reader import Position
from wedsync.live.streams import cursor
from wedsync.live.streams.cursor import BadCursor, mark_of, name_mark, read, written
from wedsync.live.streams.parameters import StreamRequest, stream_request
from wedsync.live.streams.problems import Problematic

EPOCH, OTHER = "0f7a6a9c-6d0f-4f3c-9c59-0d1c0b9f2a11", "7d0c1a2e-31a4-4a8e-8a53-5a37dbb7a5d2"
NAMES = [f"couple:dashboard:{number}" for number in range(128)]
SEQUENCES = [0, 1, 127, 128, 16_383, 16_384, 2**31, 2**63 - 1]


def cursor_of(sequences: list[int], epoch: str = EPOCH) -> str:
    return written((mark_of(name, epoch), sequence) for name, sequence in zip(NAMES, sequences, strict=False)).decode()


def test_a_cursor_names_each_channels_epoch_and_sequence() -> None:
    found = read(cursor_of(SEQUENCES))

    assert [found[name_mark(name)].sequence for name in NAMES[: len(SEQUENCES)]] == SEQUENCES
    assert {position.is_of([OTHER, EPOCH]) for position in found.values()} == {EPOCH}
    assert {position.is_of([OTHER]) for position in found.values()} == {None}


def test_a_cursor_of_all_channels_that_a_stream_may_follow_fits_into_a_header() -> None:
    whole = cursor_of([2**63 - 1] * 128)

    assert len(read(whole)) == 128
    assert len(whole) <= cursor.LONGEST
    assert len(cursor_of([1000] * 128)) < 2_100
    assert len(cursor_of([1000])) <= 24


def test_whatever_was_cut_off_or_changed_is_refused() -> None:
    whole = cursor_of(SEQUENCES)
    cut = [whole[:length] for length in range(1, len(whole))]
    changed = [whole[:at] + ("A" if whole[at] != "A" else "B") + whole[at + 1 :] for at in range(len(whole) - 1)]

    for text in [*cut, *changed]:
        with pytest.raises(BadCursor):
            read(text)


@pytest.mark.parametrize("text", ["", "12", "é", "A" * 5000, "=" * 8, "0-1", "null", "\x00"])
def test_what_was_never_a_cursor_is_refused(text: str) -> None:
    with pytest.raises(BadCursor):
        read(text)


def test_no_random_bytes_are_read_as_anything_but_a_cursor() -> None:
    chance = random.Random(4)
    for _ in range(2000):
        body = bytes((cursor.VERSION,)) + chance.randbytes(chance.randint(0, 60))
        with pytest.raises(BadCursor):
            read(base64.urlsafe_b64encode(body).decode())


@pytest.mark.parametrize(
    "body",
    [
        b"\x02",  # of another version
        b"\x01" + bytes(9),  # half a mark
        b"\x01" + bytes(10),  # no sequence
        b"\x01" + bytes(10) + b"\x80",  # half a sequence
        b"\x01" + bytes(10) + b"\xff" * 9 + b"\x01",  # over 63 bits
        b"\x01" + bytes(11) + bytes(11),  # one channel twice
    ],
)
def test_a_body_that_nobody_writes_is_refused_though_its_checksum_is_right(body: bytes) -> None:
    whole = body + cursor.crc32(body).to_bytes(4)

    with pytest.raises(BadCursor):
        read(base64.urlsafe_b64encode(whole).decode())


def request(query: str, **headers: str) -> StreamRequest:
    given = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return stream_request({"query_string": query.encode(), "headers": given})


def test_the_header_counts_more_than_the_url_and_both_more_than_a_channels_own_start() -> None:
    where = {name: Position((EPOCH,), 100, 1) for name in NAMES[:3]}
    query = f"channel={NAMES[0]}@50&channel={NAMES[1]}@50.{EPOCH}&channel={NAMES[2]}&last_event_id={cursor_of([60])}"

    by_url = request(query).resumed(where)
    by_header = request(query, last_event_id=cursor_of([70])).resumed(where)

    assert [found.cursor for found in by_url.values()] == [60, 50, 100]
    assert [found.cursor for found in by_header.values()] == [70, 50, 100]
    assert [found.recovered for found in by_url.values()] == [True, True, None]


def test_a_cursor_counts_for_the_channels_that_are_asked_for_now() -> None:
    where = {NAMES[1]: Position((EPOCH,), 9, 1), "a:b:new": Position((EPOCH,), 5, 1)}
    asked = request(f"channel={NAMES[1]}&channel=a:b:new", last_event_id=cursor_of([1, 2, 3]))

    assert [found.cursor for found in asked.resumed(where).values()] == [2, 5]


def test_a_position_in_another_epoch_or_beyond_the_end_is_not_resumed() -> None:
    where = {name: Position((EPOCH,), 5, 1) for name in NAMES[:3]}
    asked = request("&".join(f"channel={name}" for name in NAMES[:3]), last_event_id=cursor_of([3, 9]))
    other = request(f"channel={NAMES[0]}", last_event_id=cursor_of([3], OTHER))

    assert [found.recovered for found in asked.resumed(where).values()] == [True, False, None]
    assert [found.recovered for found in other.resumed(where).values()] == [False]


@pytest.mark.parametrize(
    ("query", "slug"),
    [
        ("", "bad-request"),
        ("channel=a:b", "bad-channel"),
        ("channel=a:b:c@", "bad-request"),
        ("channel=a:b:c@-1", "bad-request"),
        ("channel=a:b:c@1e3", "bad-request"),
        (f"channel=a:b:c@{2**63}", "bad-request"),
        ("channel=a:b:c&channel=a:b:c@1", "bad-request"),
        ("chanel=a:b:c", "unknown-filter"),
        ("channel=a:b:c&last_event_id=a&last_event_id=b", "bad-request"),
        ("channel=a:b:c&last_event_id=12", "bad-cursor"),
        ("&".join(f"channel=a:b:{number}" for number in range(129)), "too-many-channels"),
    ],
)
def test_a_request_that_is_not_understood_is_refused_with_its_reason(query: str, slug: str) -> None:
    with pytest.raises(Problematic) as refused:
        request(query)

    assert (refused.value.problem.status, refused.value.problem.slug) == (400, slug)
