"""Who may open a stream or read a history, and that both end with the right."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
import requests
from django.contrib.auth.hashers import make_password
from django.utils import timezone

from tests.factories import ApiKeyFactory, MembershipFactory
from tests.live.event_source import PATH, EventSource, Told
from tests.live.socket_client import sign_in
from tests.live.test_sockets import couple
from tests.live.webs import another_web
from tests.live.world import World, make_world
from tests.polling import until
from wedsync.live.access import tickets
from wedsync.live.models import Ticket
from wedsync.weddings import personal_links
from wedsync.weddings.models import ApiKey, Contact, Membership, PersonalLink

ELSEWHERE = "https://app.example"


def bearer(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


def get(world: World, path: str = PATH, port: int | None = None, **headers: str) -> requests.Response:
    url = f"http://127.0.0.1:{port or world.product.port}{path}"
    return requests.get(url, params={"channel": couple(world)} if path == PATH else {}, headers=headers, timeout=5)


def history(world: World) -> str:
    return f"/api/channels/{couple(world)}/events/"


def slug(answer: requests.Response) -> tuple[int, str]:
    assert answer.headers["Content-Type"] == "application/problem+json"
    return answer.status_code, answer.json()["type"].removeprefix("/problems/")


@pytest.mark.parametrize("path", [lambda world: PATH, history], ids=["stream", "history"])
def test_nobody_without_a_right_gets_anything(world: World, path: Callable[[World], str]) -> None:
    expired, weak = f"wsk_{world.token[4:]}x", f"wsk_{world.token[4:]}y"
    ApiKeyFactory(organization=world.organization, key=expired, expires_at=timezone.now())
    ApiKeyFactory(organization=world.organization, key=weak, scopes=["events:read"])
    asked = path(world)

    assert slug(get(world, asked)) == (401, "not-authenticated")
    for text in ("wsk_invented", "wst_invented", expired, "x" * 3000, "a b"):
        assert slug(get(world, asked, **bearer(text))) == (401, "not-authenticated")
    assert slug(get(world, asked, Authorization="Basic eDp5")) == (401, "not-authenticated")
    assert slug(get(world, asked, **bearer(weak))) == (403, "scope-missing")


def test_a_keys_use_is_noted(world: World) -> None:
    with EventSource(world, [couple(world)]):
        used = until(lambda: ApiKey.objects.get(organization=world.organization).last_used_at, what="the key's use")

    assert used is not None


def test_a_narrow_ticket_opens_its_channels_alone_and_once(world: World) -> None:
    other = f"urgent:wedding-day:{world.organization.id}"
    narrow = bearer(world.ticket(channels=[couple(world)]))
    with EventSource(world, [couple(world)], headers=narrow) as stream:
        assert stream.told().name == "subscribed"
        assert stream.told().name == "token"
        assert EventSource(world, [couple(world)], headers=narrow).refusal() == (401, "not-authenticated")

    narrow = bearer(world.ticket(channels=[couple(world)]))
    assert EventSource(world, [couple(world), other], headers=narrow).refusal() == (403, "forbidden")


def token_of(stream: EventSource) -> Told:
    told = stream.told()
    while told.name != "token":
        told = stream.told()
    return told


def test_a_ticket_buys_a_token_that_comes_back_with_the_same_channels(world: World) -> None:
    other = f"urgent:wedding-day:{world.organization.id}"
    with EventSource(world, [couple(world)], headers=bearer(world.ticket(channels=[couple(world)]))) as stream:
        token, last = token_of(stream).data["token"], stream.id

    world.capacity(160)
    for _ in range(2):
        with EventSource(world, [couple(world)], headers=bearer(token), resume=last) as again:
            again.told()
            assert {again.told().name, again.told().name} == {"token", "message"}
    assert EventSource(world, [other], headers=bearer(token)).refusal() == (403, "forbidden")
    url = f"{world.product.base_url}/api/channels/tickets/"
    assert requests.post(url, headers=bearer(token), timeout=5).status_code == 401


def test_a_token_is_renewed_within_the_stream_and_ends_with_its_time(world: World) -> None:
    with another_web(world.product, WEDSYNC_STREAM_SECONDS="3") as web:
        with EventSource(world, [couple(world)], headers=bearer(world.ticket()), port=web.port) as stream:
            first, second = token_of(stream).data, token_of(stream).data
        assert first["token"] != second["token"]
        assert first["expires_at"] < second["expires_at"]

        def refused() -> bool:
            answer = EventSource(world, [couple(world)], headers=bearer(second["token"]), port=web.port)
            with answer.connection:
                return b" 401 " in answer.connection.socket.recv(100)

        until(refused, what="the token's end")
    rows = Ticket.objects.filter(organization=world.organization, is_stream_token=True)
    assert rows.count() >= 2


KEY_ENDS: dict[str, tuple[Callable[[Any], object], int, bool]] = {
    "deleted": (lambda keys: keys.delete(), 3507, False),
    "expired": (lambda keys: keys.update(expires_at=timezone.now()), 3507, False),
    "without live:read": (lambda keys: keys.update(scopes=["events:read"]), 3014, True),
}


@pytest.mark.parametrize("end", KEY_ENDS)
@pytest.mark.parametrize("by", ["key", "ticket"])
def test_a_stream_ends_with_the_key_behind_it_and_does_not_come_back(world: World, end: str, by: str) -> None:
    withdraw, code, again = KEY_ENDS[end]
    headers = bearer(world.ticket()) if by == "ticket" else world.headers
    with EventSource(world, [couple(world)], headers=headers) as stream:
        told = stream.told()
        token = token_of(stream).data["token"] if by == "ticket" else world.token
        began = time.monotonic()
        withdraw(ApiKey.objects.filter(organization=world.organization))

        told = stream.told()
        assert (told.name, told.data["code"], told.data["again"]) == ("end", code, again)
        assert time.monotonic() - began < 5
        with pytest.raises(EOFError):
            stream.told()
    assert get(world, **bearer(token)).status_code in (401, 403)


@pytest.fixture
def member(world: World) -> Membership:
    made = MembershipFactory(organization=world.organization, role="owner")
    made.user.password = make_password("a long password", hasher="pbkdf2_sha256")
    made.user.save()
    return made


def with_session(browser: requests.Session, site: str | None = "same-origin") -> dict[str, str]:
    cookie = {"Cookie": "; ".join(f"{item.name}={item.value}" for item in browser.cookies)}
    return cookie | ({"Sec-Fetch-Site": site} if site else {})


def test_a_session_opens_a_stream_on_our_own_pages_alone_and_ends_it_too(world: World, member: Membership) -> None:
    browser = sign_in(world, member.user.username)
    for site in (None, "same-site", "cross-site", "none"):
        headers = with_session(browser, site)
        assert EventSource(world, [couple(world)], headers=headers).refusal() == (401, "not-authenticated")

    with EventSource(world, [couple(world)], headers=with_session(browser)) as stream:
        stream.told()
        world.capacity(160)
        assert stream.sequences(1) == [(couple(world), 1)]
        member.delete()
        assert stream.told().data["code"] == 3507
    assert EventSource(world, [couple(world)], headers=with_session(browser)).refusal() == (401, "not-authenticated")


def test_a_session_sees_its_own_organization_only(world: World, member: Membership) -> None:
    browser, stranger = sign_in(world, member.user.username), make_world(world.product)
    slug_of = stranger.organization.slug
    headers = with_session(browser)

    refused = EventSource(world, [couple(stranger)], headers=headers, organization=slug_of).refusal()
    with EventSource(world, [couple(stranger), couple(world)], headers=headers) as stream:
        stream.told()
        stranger.capacity(170)
        world.capacity(171)
        assert stream.sequences(1) == [(couple(world), 1)]
    assert refused == (401, "not-authenticated")


def test_a_contact_behind_a_link_follows_its_own_wedding_alone_until_the_link_is_revoked(world: World) -> None:
    contact = world.people["couple"]
    other = make_world(world.product)
    link = personal_links.issue(contact)
    headers = [bearer(tickets.issue_for_contact(contact.id, link.id)[0]) for _ in range(4)]
    for name in (couple(other), f"urgent:wedding-day:{world.organization.id}", f"ops:health:{world.organization.id}"):
        assert EventSource(world, [name], headers=headers.pop()).refusal() == (403, "forbidden")

    with EventSource(world, [couple(world)], headers=headers.pop()) as stream:
        token = token_of(stream).data["token"]
        world.capacity(160)
        assert stream.sequences(1) == [(couple(world), 1)]
        personal_links.revoke(PersonalLink.objects.filter(id=link.id), "staff")
        assert stream.told().data["code"] == 3507
    assert slug(get(world, **bearer(token))) == (403, "forbidden")


def test_a_contact_behind_a_link_who_is_no_longer_of_the_couple_is_told_not_to_come_back(world: World) -> None:
    contact = world.people["couple"]
    link = personal_links.issue(contact)
    unused = tickets.issue_for_contact(contact.id, link.id)[0]

    used = tickets.issue_for_contact(contact.id, link.id)[0]

    with EventSource(world, [couple(world)], headers=bearer(used)) as stream:
        token = token_of(stream).data["token"]
        Contact.objects.filter(id=contact.id).update(role=Contact.Role.VENUE)
        end = stream.told().data

    assert (end["code"], end["again"]) == (3507, False)
    for text in (unused, token):
        assert slug(get(world, **bearer(text))) == (403, "forbidden")
    with pytest.raises(tickets.LinkEnded):
        tickets.issue_for_contact(contact.id, link.id)


def test_the_listed_origins_may_ask_and_no_others(world: World) -> None:
    tickets = "/api/channels/tickets/"
    with another_web(world.product, WEDSYNC_LIVE_ORIGINS=f"{ELSEWHERE},http://localhost:3000") as web:
        base = f"http://127.0.0.1:{web.port}"
        asks = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}
        for path in (PATH, history(world), tickets):
            allowed = requests.options(base + path, headers={"Origin": ELSEWHERE, **asks}, timeout=5)
            other = requests.options(base + path, headers={"Origin": "https://evil.example", **asks}, timeout=5)
            assert allowed.status_code == 204
            assert allowed.headers["Access-Control-Allow-Origin"] == ELSEWHERE
            assert "authorization" in allowed.headers["Access-Control-Allow-Headers"].lower()
            assert "Access-Control-Allow-Credentials" not in allowed.headers
            assert "Access-Control-Allow-Origin" not in other.headers
            assert "Origin" in other.headers["Vary"]
        answers = [
            get(world, history(world), web.port, Origin=ELSEWHERE, **world.headers),
            get(world, history(world), web.port, Origin=ELSEWHERE),
            requests.post(base + tickets, headers={**world.headers, "Origin": ELSEWHERE}, timeout=5),
        ]
        strange = get(world, history(world), web.port, Origin=f"{ELSEWHERE}:8443", **world.headers)
        with EventSource(
            world, [couple(world)], headers={**world.headers, "Origin": ELSEWHERE}, port=web.port
        ) as stream:
            assert stream.answer.getheader("Access-Control-Allow-Origin") == ELSEWHERE
    assert [answer.status_code for answer in answers] == [200, 401, 201]
    assert {answer.headers["Access-Control-Allow-Origin"] for answer in answers} == {ELSEWHERE}
    assert "Access-Control-Allow-Origin" not in strange.headers
    unlisted = get(world, history(world), Origin=ELSEWHERE, **world.headers)
    assert "Access-Control-Allow-Origin" not in unlisted.headers


def test_a_key_that_asks_too_often_is_told_when_to_come_again(world: World) -> None:
    with another_web(world.product, WEDSYNC_LIMIT_PER_KEY="3") as web:
        answers = [get(world, history(world), web.port, **world.headers) for _ in range(8)]

    assert slug(answers[-1]) == (429, "too-many-requests")
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 60
