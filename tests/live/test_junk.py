"""Whatever a client sends, it gets a code, nothing fails in the log, and the others are served."""

import zlib
from collections.abc import Iterator

import pytest

from tests.live.raw_sockets import BINARY, TEXT, asked, heard, masked, raw
from tests.live.socket_client import ask, socket
from tests.live.webs import another_web
from tests.live.world import World

MIB = 1024 * 1024
FRAGMENT, LAST, COMPRESSED = 0x00, 0x80, 0xC0  # the bits above the opcode
EMPTY = masked(0x0, b"", first=FRAGMENT)


@pytest.fixture(autouse=True)
def calm(world: World) -> Iterator[None]:
    """The web process writes no trace of a fault, and serves another socket."""
    before = len(world.product.log("web"))
    with socket(world) as other:
        yield
        assert ask(other, op="ping")["ok"]
    written = world.product.log("web")[before:]
    assert "Traceback" not in written
    assert "RecursionError" not in written
    assert '"level": "error"' not in written


def compressed_bomb() -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(b" " * 60 * MIB) + packer.flush(zlib.Z_SYNC_FLUSH)


@pytest.mark.parametrize(
    ("junk", "code"),
    [
        pytest.param(lambda: masked(BINARY, b"x" * 10), 1003, id="a binary message"),
        pytest.param(lambda: masked(BINARY, b"x" * MIB), 1009, id="1 MiB of binary"),
        pytest.param(lambda: masked(TEXT, b"x" * MIB), 1009, id="1 MiB of text"),
        pytest.param(lambda: masked(TEXT, b"\xff\xfe{}"), 1007, id="a text that is not UTF-8"),
        pytest.param(lambda: masked(TEXT, b"[" * 100_000), 1009, id="100 000 brackets"),
        pytest.param(lambda: masked(TEXT, b"x" * 15 * MIB), 1009, id="15 MiB"),
        pytest.param(lambda: masked(TEXT, b"x" * 17 * MIB), 1009, id="17 MiB"),
        pytest.param(lambda: masked(TEXT, compressed_bomb()[:60_000], first=COMPRESSED), 1002, id="a deflate bomb"),
        pytest.param(lambda: masked(0x3, b""), 1002, id="an unknown opcode"),
        pytest.param(lambda: masked(TEXT, b"x")[:1] + b"\x01x", 1002, id="a frame without a mask"),
        pytest.param(lambda: masked(0x0, b"x"), 1002, id="a fragment of nothing"),
        pytest.param(
            lambda: masked(TEXT, b"x" * 40_000, first=FRAGMENT) + masked(0x0, b"x" * 40_000, first=LAST),
            1009,
            id="fragments that are too large together",
        ),
        pytest.param(
            lambda: (
                masked(TEXT, b"\xff", first=FRAGMENT) + masked(0x0, b"", first=FRAGMENT) * 10_000 + masked(0x0, b"")
            ),
            1007,
            id="empty fragments",
        ),
    ],
)
def test_a_frame_that_is_no_request_ends_the_socket_with_a_code(world: World, junk: object, code: int) -> None:
    assert callable(junk)
    with raw(world) as client:
        client.sendall(junk())

        assert heard(client).code == code


@pytest.mark.parametrize(
    "text",
    [
        b"[" * 60_000,
        b'{"a":' * 10_000,
        b'{"id":1,"op":"subscribe","channel":"a:b:c","after":NaN}',
        b'{"id":1,"op":"subscribe","channel":"a:b:c","after":Infinity}',
        b'{"id":1,"op":"subscribe","channel":"a:b:c","after":1e999}',
        b'{"id":1,"op":"ping","x":' + b"9" * 60_000 + b"}",
        b"",
        b"\x00",
        b"\xef\xbb\xbf",
    ],
    ids=["brackets", "braces", "NaN", "Infinity", "1e999", "a long number", "nothing", "NUL", "a byte order mark"],
)
def test_a_text_that_is_no_request_is_answered_and_the_socket_goes_on(world: World, text: bytes) -> None:
    with raw(world) as client:
        client.sendall(masked(TEXT, text) + asked(id=2, op="ping"))

        answers = heard(client, most=2).frames

    assert [answer.get("error", {}).get("code") for answer in answers] == ["bad-request", None]


def test_a_socket_that_asks_on_after_it_was_refused_is_closed(world: World) -> None:
    """5 000 times to and fro, and 10 000 names."""
    turns = b"".join(
        asked(id=number, op="subscribe", channel="a:b:c") + asked(id=number, op="unsubscribe", channel="a:b:c")
        for number in range(2_500)
    )
    names = b"".join(asked(id=number, op="subscribe", channel=f"a:b:{number}") for number in range(10_000))
    with another_web(world.product, WEDSYNC_LIMIT_PER_SOCKET="10") as web:
        for talk in (turns, names):
            with raw(world, web.port) as client:
                client.sendall(talk)

                found = heard(client, seconds=30)

            assert found.code == 3013
            assert set(found.errors) == {"too-many-requests"}
        assert "Traceback" not in web.log.read_text()
