"""A client that answers no ping is gone, even if nothing waits for it."""

from tests.live.raw_sockets import PONG, heard, masked, raw
from tests.live.webs import another_web
from tests.live.world import World


def test_a_client_that_answers_no_ping_is_closed_with_3012_and_one_that_does_lives_on(world: World) -> None:
    with (
        another_web(world.product, WEDSYNC_PING_SECONDS="1", WEDSYNC_IDLE_SOCKET_SECONDS="60") as web,
        raw(world, web.port) as silent,
        raw(world, web.port) as answering,
    ):
        answering.settimeout(20)
        for _ in range(4):
            opcode_and_length = answering.recv(2)
            assert opcode_and_length[0] & 0xF == 0x9, "it is pinged, and not closed"
            answering.sendall(masked(PONG, answering.recv(opcode_and_length[1])))

        assert heard(silent, seconds=20).code == 3012
