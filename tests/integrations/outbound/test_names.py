"""Names: who resolves them, how often, and that the checked address is the one called."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from pytest_django import Settings

from integrations.errors import NetworkError, NoRoom, OurFault
from integrations.outbound import Call, Response, names, send, sending
from integrations.states import Outcome
from tests.integrations.outbound.raw_peer import answering, peer
from tests.polling import until

Post = Callable[..., Response]


def test_a_name_that_leads_nowhere_is_the_networks_fault(post: Post) -> None:
    with pytest.raises(NetworkError, match="does not resolve") as raised:
        post("https://nothing.invalid:443/")
    assert raised.value.outcome == Outcome.FAILED


def test_the_address_that_was_checked_is_the_one_called(post: Post, resolver: Any) -> None:
    answers = iter([["127.0.0.1"], ["127.0.0.2"], ["10.0.0.1"]])
    asked = resolver(lambda host: next(answers))
    with peer(answering()) as good, peer(answering(), host="127.0.0.2", port=good.port) as evil:
        assert post(f"http://rebinding.example:{good.port}/").status == 200
        assert asked == ["rebinding.example"], "asked once for check and call"
        assert evil.connections == 0


def test_one_forbidden_address_among_others_refuses_them_all(post: Post, resolver: Any) -> None:
    with peer(answering()) as there:
        resolver(lambda host: ["127.0.0.1", "10.0.0.1"])
        with pytest.raises(OurFault, match="WEDSYNC_OUTBOUND_ALLOW"):
            post(f"http://mixed.example:{there.port}/")
        assert there.connections == 0


def test_a_kept_connection_is_not_used_for_an_address_that_is_no_longer_allowed(post: Post, settings: Settings) -> None:
    with peer(answering()) as there:
        post(there.url)
        settings.OUTBOUND_ALLOW = ()
        with pytest.raises(OurFault, match="plain http"):
            send(Call("POST", there.url, b"", {}), deadline=5)
        assert len(there.requests) == 1


def test_a_second_address_is_tried_when_the_first_takes_no_connection(
    post: Post, resolver: Any, settings: Settings
) -> None:
    with peer(answering()) as there:
        resolver(lambda host: ["127.0.0.3", "127.0.0.1"])
        settings.OUTBOUND_ALLOW = (f"127.0.0.0/8:{there.port}",)
        assert send(Call("POST", f"http://two.example:{there.port}/", b"", {}), deadline=5).status == 200


def test_answers_are_kept_a_while_and_failures_are_not(post: Post, resolver: Any) -> None:
    answers = iter([[], ["127.0.0.1"]])
    asked = resolver(lambda host: next(answers))
    with peer(answering()) as there:
        url = f"http://late.example:{there.port}/"
        with pytest.raises(NetworkError, match="does not resolve"):
            post(url)
        for _ in range(3):
            post(url)
            sending.close_idle()
        assert (len(asked), there.connections) == (2, 3)


def test_silent_name_servers_neither_block_other_names_nor_gather_threads(post: Post, resolver: Any) -> None:
    awake = threading.Event()

    def answer(host: str) -> list[str]:
        if "silent" in host:
            awake.wait()
        return ["127.0.0.1"]

    asked = resolver(answer)
    try:
        with peer(answering()) as there:
            for _ in range(names.MOST_LOOKUPS + 4):
                with pytest.raises(NetworkError, match="did not answer"):
                    post("https://silent.example:443/", deadline=0.02)
            assert asked == ["silent.example"], "one thread for one name, whoever waits for it"
            assert post(f"http://other.example:{there.port}/").status == 200

            for number in range(names.MOST_LOOKUPS - 1):
                with pytest.raises(NetworkError, match="did not answer"):
                    post(f"https://silent-{number}.example:443/", deadline=0.02)
            with pytest.raises(NoRoom, match="too many host names") as raised:
                post(f"http://third.example:{there.port}/")
            assert raised.value.outcome == Outcome.FAILED
            assert not raised.value.counts_for_breaker, "the target has done nothing"
            assert post(f"http://other.example:{there.port}/").status == 200, "kept names and addresses need nobody"
            assert post(there.url).status == 200

            awake.set()
            until(lambda: _is_called(post, f"http://third.example:{there.port}/"), what="recovery")
    finally:
        awake.set()


def _is_called(post: Post, url: str) -> bool:
    try:
        return post(url).status == 200
    except NetworkError:
        return False
