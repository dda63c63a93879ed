"""Streams of Server-Sent Events, at the running product."""

from __future__ import annotations

import socket as sockets
from uuid import uuid4

import pytest
import requests

from tests.live.event_source import PATH, EventSource
from tests.live.test_fan_out import UNREAD, resident
from tests.live.test_sockets import ask, couple, receive, socket
from tests.live.webs import another_web
from tests.live.world import World, make_world
from tests.polling import until
from tests.raw_http import RawConnection
from wedsync.live.models import Channel


def urgent(world: World) -> str:
    return f"urgent:wedding-day:{world.organization.id}"


def made_up(world: World, word: str = "up") -> str:
    return f"made:{word}:{world.wedding.id}"


def test_a_stream_begins_with_its_places_and_tells_events_in_order(world: World) -> None:
    with EventSource(world, [couple(world)]) as stream:
        first = stream.told()
        ids = [world.capacity(number).json()["id"] for number in (160, 161, 162)]
        told = [stream.told() for _ in ids]

    headers = {name.lower(): value for name, value in stream.answer.getheaders()}
    assert headers["content-type"] == "text/event-stream"
    assert headers["cache-control"] == "no-store, no-transform"
    assert headers["x-accel-buffering"] == "no"
    assert "content-encoding" not in headers
    assert "x-request-id" in headers
    assert stream.retry is not None
    assert 0 < stream.retry <= 3000
    assert (first.name, first.data["channels"][couple(world)]["last"]) == ("subscribed", 0)
    assert [each.data["sequence"] for each in told] == [1, 2, 3]
    assert [each.data["event"]["id"] for each in told] == ids
    assert len({each.id for each in (first, *told)}) == 4


def test_a_stream_has_the_bytes_that_a_socket_has(world: World) -> None:
    with socket(world) as client, EventSource(world, [couple(world)]) as stream:
        ask(client, op="subscribe", channel=couple(world))
        stream.told()
        world.capacity(160)

        assert receive(client) == stream.told().data


def test_a_cursor_resumes_all_channels_of_the_stream_after_its_process_was_killed(world: World) -> None:
    ours, also = couple(world), urgent(world)
    with EventSource(world, [ours, also]) as stream:
        stream.told()
        world.capacity(160)
        world.emergency()
        seen = stream.sequences(2)
        world.product.kill("web")
        with pytest.raises((EOFError, OSError)):
            while True:
                seen += stream.sequences(1)

    world.product.start("web")
    for number in (161, 162):
        world.capacity(number)
    world.emergency()
    with EventSource(world, [also, ours], resume=stream.id) as again:
        assert [each["recovered"] for each in again.told().data["channels"].values()] == [True, True]
        until(lambda: Channel.objects.get(name=ours).last_sequence >= 4, what="all events")
        expected = {(channel.name, n) for channel in channels(world) for n in range(1, channel.last_sequence + 1)}
        while set(seen) != expected:
            seen += again.sequences(1)

    assert len(seen) == len(set(seen)), "nothing twice"
    for name in (ours, also):
        numbers = [sequence for channel, sequence in seen if channel == name]
        assert numbers == sorted(numbers)


def channels(world: World) -> list[Channel]:
    return list(Channel.objects.filter(organization=world.organization, name__in=[couple(world), urgent(world)]))


def test_every_events_id_resumes_right_after_it(world: World) -> None:
    for number in range(3):
        world.capacity(160 + number)
    with EventSource(world, [f"{couple(world)}@0", made_up(world)]) as stream:
        stream.told()
        told = [stream.told() for _ in range(3)]

    for place, each in enumerate(told[:-1]):
        with EventSource(world, [couple(world), made_up(world)], resume=each.id) as again:
            again.told()
            assert again.told().data == told[place + 1].data


def test_the_url_resumes_as_the_header_does_and_the_header_counts_more(world: World) -> None:
    for number in range(3):
        world.capacity(160 + number)
    with EventSource(world, [f"{couple(world)}@0"]) as stream:
        start, *told = (stream.told() for _ in range(4))

    with EventSource(world, [couple(world)], last_event_id=told[1].id) as by_url:
        by_url.told()
        assert by_url.sequences(1) == [(couple(world), 3)]
    with EventSource(world, [couple(world)], resume=start.id, last_event_id=told[1].id) as by_header:
        by_header.told()
        assert by_header.sequences(3) == [(couple(world), number) for number in (1, 2, 3)]


def test_what_cannot_be_resumed_is_told_and_the_stream_goes_on(world: World) -> None:
    world.capacity(160)
    world.capacity(161)
    with EventSource(world, [couple(world)]) as stream:
        last = stream.told().id
    Channel.objects.filter(name=couple(world)).update(epoch=uuid4())  # as after an older copy was restored

    with EventSource(world, [couple(world), made_up(world)], resume=last) as again:
        subscribed, lost = again.told(), again.told()
        world.capacity(162)

        assert subscribed.data["channels"][couple(world)]["recovered"] is False
        assert lost.name == "unrecoverable"
        assert (lost.data["channel"], lost.data["last"], lost.data["oldest"]) == (couple(world), 2, 1)
        assert again.told().data["sequence"] == 3


def test_many_missed_large_events_come_whole_and_in_order(world: World) -> None:
    for number in range(40):
        world.capacity(200 + number, note="x" * 40_000)
    with EventSource(world, [f"{couple(world)}@0", urgent(world)]) as stream:
        stream.told()
        world.capacity(300)

        assert stream.sequences(41) == [(couple(world), number) for number in range(1, 42)]


def test_a_stream_that_nobody_reads_is_cut_off_and_nobody_else_notices(world: World) -> None:
    before, memory = world.product.log("web").count(UNREAD), resident(world)
    with (
        EventSource(world, [couple(world)]) as present,
        EventSource(world, [couple(world)], buffer=8192) as stuck,
    ):
        present.told()
        for number in range(30):
            world.capacity(200 + number, note="x" * 60_000)
            assert present.sequences(1) == [(couple(world), number + 1)]
        until(lambda: world.product.log("web").count(UNREAD) > before, 20, what="the end of the slow reader")
        last = stuck.told().id
        with pytest.raises((EOFError, OSError)):
            while True:
                last = stuck.told().id

    assert resident(world) - memory < 64 * 1024 * 1024
    with EventSource(world, [couple(world)], resume=last) as again:
        again.told()
        number = again.sequences(1)[0][1]
        assert again.sequences(30 - number) == [(couple(world), each) for each in range(number + 1, 31)]


def test_a_client_of_http_1_0_gets_the_same_without_chunks(world: World) -> None:
    with EventSource(world, [couple(world)], version="1.0") as stream:
        assert stream.answer.getheader("Transfer-Encoding") is None
        stream.told()
        world.capacity(160)
        assert stream.sequences(1) == [(couple(world), 1)]


def test_a_stream_ends_after_its_time_and_its_connection_serves_the_next(world: World) -> None:
    with (
        another_web(world.product, WEDSYNC_STREAM_SECONDS="2") as web,
        EventSource(world, [couple(world)], port=web.port) as stream,
    ):
        stream.told()
        world.capacity(160)
        headers = {**world.headers, "Last-Event-ID": stream.told().id}
        with pytest.raises(EOFError):
            stream.told()

        stream.connection.ask("GET", f"{PATH}?channel={couple(world)}", headers)
        world.capacity(161)

        stream.open().told()
        assert stream.sequences(1) == [(couple(world), 2)]


def test_silence_is_broken_by_comments(world: World) -> None:
    with EventSource(world, [made_up(world)], patience=20) as stream:
        stream.told()
        line = stream.answer.readline()
        while line == b"\n":
            line = stream.answer.readline()

    assert line.startswith(b":")


def test_a_process_that_is_told_to_end_says_so_and_ends_quickly(world: World) -> None:
    with another_web(world.product) as web, EventSource(world, [couple(world)], port=web.port) as stream:
        stream.told()
        assert web.end() == 0
        last = stream.told()
        with pytest.raises(EOFError):
            stream.told()

    assert (last.name, last.data["code"], last.data["again"]) == ("end", 3001, True)
    assert stream.retry == 1000 * last.data["come_back_after"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_another_method_is_refused_and_says_which_are_known(world: World, method: str) -> None:
    answer = requests.request(method, world.product.base_url + PATH, headers=world.headers, timeout=5)

    assert (answer.status_code, answer.json()["type"]) == (405, "/problems/method-not-allowed")
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"


def test_head_and_options_end_at_once_and_the_connection_serves_on(world: World) -> None:
    with RawConnection(world.product.port) as connection:
        connection.ask("HEAD", f"{PATH}?channel={couple(world)}", world.headers)
        head = connection.answer("HEAD")
        connection.ask("OPTIONS", PATH)
        options = connection.answer()
        connection.ask("GET", f"{PATH}?channel={couple(world)}")
        refused = connection.answer()

    assert (head.status, head.headers["content-type"], head.body) == (200, "text/event-stream", b"")
    assert (options.status, options.headers["allow"]) == (200, "GET, HEAD, OPTIONS")
    assert refused.problem == (401, "not-authenticated")
    assert refused.headers["www-authenticate"].startswith("Bearer")


def test_what_follows_on_the_connection_waits_for_the_streams_end(world: World) -> None:
    with another_web(world.product, WEDSYNC_STREAM_SECONDS="3") as web:
        stream = EventSource(world, [couple(world)], port=web.port)
        stream.connection.send(b"GET /livez HTTP/1.1\r\nHost: 127")
        with stream:
            stream.told()
            stream.connection.send(b".0.0.1\r\n\r\n")
            world.capacity(160)
            assert stream.sequences(1) == [(couple(world), 1)]
            with pytest.raises(EOFError):
                stream.told()

            assert stream.connection.answer().json == {"status": "live"}


def test_200_channels_are_refused_before_anything_else(world: World) -> None:
    stream = EventSource(world, [f"a:b:{number}" for number in range(200)])

    assert stream.refusal() == (400, "too-many-channels")


def test_two_organizations_hear_nothing_of_each_other(world: World) -> None:
    stranger = make_world(world.product)
    with EventSource(stranger, [couple(world), couple(stranger)]) as stream:
        assert stream.told().data["channels"][couple(world)]["last"] == 0
        with EventSource(world, [couple(world)]) as witness:
            witness.told()
            world.capacity(172)
            assert witness.sequences(1) == [(couple(world), 1)]
        stranger.capacity(171)

        assert stream.sequences(1) == [(couple(stranger), 1)]


def test_a_connection_that_is_lost_gives_its_place_back(world: World) -> None:
    with another_web(world.product, WEDSYNC_SOCKETS_PER_KEY="1") as web:
        with EventSource(world, [couple(world)], port=web.port) as stream:
            stream.told()
            refused = EventSource(world, [couple(world)], port=web.port).refusal()
            stream.connection.socket.shutdown(sockets.SHUT_RDWR)

        def again() -> bool:
            other = EventSource(world, [couple(world)], port=web.port)
            with other.connection:
                return b" 200 " in other.connection.socket.recv(100)

        until(again, what="the place that is free again")
    assert refused == (429, "too-many-connections")
