"""The live channels of a running copy, as a browser meets them."""

import pytest
from websockets.exceptions import ConnectionClosed

from tests.copy.running import Outsider

NO_ENTRY = 3500


def test_an_event_is_shown_at_once_and_again_to_a_socket_that_resumes(outsider: Outsider) -> None:
    couple = outsider.facts["channels"]["couple"]
    with outsider.socket(outsider.ticket(couple)) as socket:
        before = socket.subscribe(couple)
        assert before["ok"]
        moved = outsider.move_ceremony()

        shown = socket.frame()

    assert shown["channel"] == couple
    assert shown["sequence"] == before["last"] + 1
    assert shown["event"]["type"] == "timeline.updated"
    assert shown["event"]["payload"]["changes"][0]["after"] == moved
    outsider.move_ceremony()
    with outsider.socket() as socket:
        answer = socket.subscribe(couple, after=before["last"], epoch=before["epoch"])
        assert (answer["last"], answer["epoch"]) == (before["last"] + 2, before["epoch"])
        assert socket.frame() == shown
        assert socket.frame()["sequence"] == shown["sequence"] + 1


@pytest.mark.parametrize("kind", ["made up", "used before"])
def test_without_a_valid_ticket_there_is_nothing_to_see(outsider: Outsider, kind: str) -> None:
    ticket = "wst_guessed"
    if kind == "used before":
        ticket = outsider.ticket()
        with outsider.socket(ticket) as socket:
            assert socket.subscribe(outsider.facts["channels"]["couple"])["ok"]

    with outsider.socket(ticket) as socket, pytest.raises(ConnectionClosed) as closed:
        socket.subscribe(outsider.facts["channels"]["couple"], after=0)

    assert closed.value.rcvd
    assert closed.value.rcvd.code == NO_ENTRY


def test_a_narrow_ticket_opens_its_own_channels_only(outsider: Outsider) -> None:
    channels = outsider.facts["channels"]
    with outsider.socket(outsider.ticket(channels["photography"])) as socket:
        refused = socket.subscribe(channels["couple"], after=0)
        assert refused["error"]["code"] == "forbidden"
        assert socket.subscribe(channels["photography"])["ok"]
