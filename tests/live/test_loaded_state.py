"""A client loads a wedding and follows its channel from there: it misses nothing, whoever writes."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests

from tests.live.socket_client import ask, couple, receive, socket
from tests.live.world import World
from tests.polling import until

LOADS, CHANGES = 12, 40
FIELDS = {"guest_count.changed": "guest_count", "venue.capacity_updated": "capacity"}


def load(world: World) -> dict[str, Any]:
    answer = requests.get(
        f"{world.product.base_url}/api/weddings/{world.wedding.id}/", headers=world.headers, timeout=10
    )
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def change_by_the_api(world: World) -> None:
    for number in range(CHANGES):
        assert world.patch(guest_count=80 + number).status_code == 200


def change_by_webhook(world: World) -> None:
    """These reach the log before they reach the wedding: routing applies them."""
    for number in range(CHANGES):
        assert world.capacity(500 + number).status_code == 202


def load_and_follow(world: World, end: int) -> tuple[dict[str, Any], list[int], int]:
    """What a client shows in the end, and the sequences that it was sent after the position it had loaded."""
    shown = load(world)
    position = shown["live"][couple(world)]
    sequences: list[int] = []
    with socket(world) as client:
        start = {"after": position["last"], "epoch": position["epoch"], "must_recover": True}
        answer = ask(client, op="subscribe", channel=couple(world), **start)
        assert answer["ok"], answer
        while position["last"] + len(sequences) < end:
            frame = receive(client, 30)
            sequences.append(frame["sequence"])
            if field := FIELDS.get(frame["event"]["type"]):
                shown[field] = frame["event"]["payload"][field]
    return shown, sequences, position["last"]


def test_what_is_loaded_and_then_followed_equals_the_database_while_others_write(world: World) -> None:
    with ThreadPoolExecutor(LOADS + 2) as pool:
        writing = [pool.submit(change_by_the_api, world), pool.submit(change_by_webhook, world)]
        clients = [pool.submit(load_and_follow, world, 2 * CHANGES) for _ in range(LOADS)]
        for each in writing:
            each.result(120)
        found = [each.result(120) for each in clients]

    until(lambda: not world.events().filter(routing="pending").exists(), 120, what="all events being applied")
    world.wedding.refresh_from_db()
    assert (world.wedding.guest_count, world.wedding.capacity) == (80 + CHANGES - 1, 500 + CHANGES - 1)
    for shown, sequences, last in found:
        assert sequences == list(range(last + 1, 2 * CHANGES + 1)), "neither a gap nor a double"
        assert (shown["guest_count"], shown["capacity"]) == (world.wedding.guest_count, world.wedding.capacity)
    assert len({last for _, _, last in found}) > 1, "some loaded in the middle"


def test_a_wedding_is_answered_with_its_channels_also_before_their_first_event(world: World) -> None:
    loaded = load(world)
    changed = world.patch(guest_count=90).json()

    assert set(loaded["live"]) == {couple(world), f"journey:milestone:{world.wedding.id}"}
    assert [each["last"] for each in loaded["live"].values()] == [0, 0]
    assert changed["live"][couple(world)]["last"] == 1
    assert world.patch(**{**changed, "guest_count": 91}).status_code == 200, "what was answered can be sent back"
