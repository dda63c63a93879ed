"""A client loads a wedding and follows its channel from there: it misses nothing, whoever writes."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import requests

from tests.live.socket_client import ask, couple, receive, socket
from tests.live.world import World
from tests.polling import until
from wedsync.live.models import ChannelEntry

LOADS, CHANGES = 20, 40
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
    """These reach the log before they reach the wedding: routing applies them, now and then all of them."""
    for number in range(CHANGES):
        assert world.capacity(500 + number).status_code == 202
        if number % 5 == 4:
            wait_for_routing(world)


def wait_for_routing(world: World) -> None:
    until(lambda: not world.events().filter(routing="pending").exists(), 60, what="all events being applied")


@dataclass(frozen=True)
class Followed:
    """What a client had loaded, what it was sent, and what it shows in the end."""

    loaded: dict[str, Any]
    last: int
    sequences: list[int]
    shown: dict[str, Any]


def load_and_follow(world: World, begin: int, end: int) -> Followed:
    """Load once ``begin`` events were written."""
    until(lambda: world.events().count() >= begin, 120, what=f"the event {begin} being written")
    loaded = load(world)
    shown = dict(loaded)
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
    return Followed(loaded, position["last"], sequences, shown)


def said_until(world: World, last: int, field: str) -> int:
    """The newest value of a field in the log up to a sequence; all writers let their values grow."""
    entries = ChannelEntry.objects.filter(channel__name=couple(world), sequence__lte=last).select_related("event")
    return max([0, *(entry.event.payload[field] for entry in entries if field in entry.event.payload)])


def test_what_is_loaded_and_then_followed_equals_the_database_while_others_write(world: World) -> None:
    with ThreadPoolExecutor(LOADS + 2) as pool:
        writing = [pool.submit(change_by_the_api, world), pool.submit(change_by_webhook, world)]
        begins = [number * 2 * CHANGES // LOADS for number in range(LOADS)]
        clients = [pool.submit(load_and_follow, world, begin, 2 * CHANGES) for begin in begins]
        for each in writing:
            each.result(120)
        found = [each.result(120) for each in clients]

    wait_for_routing(world)
    world.wedding.refresh_from_db()
    assert (world.wedding.guest_count, world.wedding.capacity) == (80 + CHANGES - 1, 500 + CHANGES - 1)
    for each in found:
        assert each.sequences == list(range(each.last + 1, 2 * CHANGES + 1)), "neither a gap nor a double"
        for field in FIELDS.values():
            assert each.loaded[field] >= said_until(world, each.last, field), "it had all that lies before its position"
            assert each.shown[field] == getattr(world.wedding, field)
    assert len({each.last for each in found}) > 3, "some loaded in the middle"


def test_a_wedding_is_answered_with_its_channels_also_before_their_first_event(world: World) -> None:
    loaded = load(world)
    changed = world.patch(guest_count=90).json()

    assert set(loaded["live"]) == {couple(world), f"journey:milestone:{world.wedding.id}"}
    assert [each["last"] for each in loaded["live"].values()] == [0, 0]
    assert changed["live"][couple(world)]["last"] == 1
    assert world.patch(**{**changed, "guest_count": 91}).status_code == 200, "what was answered can be sent back"
