"""Frames beside those of the library ``websockets``."""

import pytest
from websockets.frames import Frame, Opcode

from wedsync.live.sockets.frames import text_frame, text_frames


@pytest.mark.parametrize("length", [0, 1, 125, 126, 127, 65_535, 65_536, 300_000])
def test_a_frame_is_what_another_library_writes(length: int) -> None:
    text = b"x" * length

    assert text_frame(text) == Frame(Opcode.TEXT, text).serialize(mask=False)


def test_several_follow_each_other() -> None:
    assert text_frames([b"a", b"bc"]) == b"\x81\x01a\x81\x02bc"
