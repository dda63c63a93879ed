"""``python -m bench.live.event_sender``: sends events in the way that each side needs; a process of the product.

Each line of input is a command, answered with one line of JSON: ``tickets 1000`` with that many tickets;
``tell ours 17``, ``tell bare 17``, ``tell stock 17`` with the monotonic time at which that event was committed or sent;
``large 120000`` with that of an event of so many bytes on ``large_channel``.
"""

import asyncio
import json
import os
import secrets
import sys
import time
from typing import Any

import django


def main(organization_id: str) -> None:
    """Execute commands until the input ends."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wedsync.settings")
    django.setup()
    sender = _sender(organization_id)
    for line in sys.stdin:
        name, *words = line.split()
        print(json.dumps(getattr(sender, name)(*words)), flush=True)


def _sender(organization_id: str) -> Any:
    """Create the object whose methods are the commands; call it once Django is set up."""
    import redis
    from channels_redis.pubsub import RedisPubSubChannelLayer  # type: ignore[import-untyped]
    from django.conf import settings
    from django.db import transaction
    from django.utils import timezone

    from bench.live.peers import GROUP, TOPIC
    from wedsync.live.access import tickets
    from wedsync.live.log.writer import NewEvent
    from wedsync.live.models import ChannelEvent
    from wedsync.live.publishing import publish
    from wedsync.weddings.models import ApiKey, Wedding

    key = ApiKey.objects.create(
        organization_id=organization_id, name="bench", key_hash=secrets.token_hex(16), scopes=["live:read"]
    )
    wedding, other_wedding = Wedding.objects.filter(organization_id=organization_id).order_by("id")[:2]
    channel, large_channel = (f"couple:dashboard:{each.id}" for each in (wedding, other_wedding))
    client = redis.Redis.from_url(settings.REDIS_URL)
    layer = RedisPubSubChannelLayer(hosts=[settings.REDIS_URL])
    loop = asyncio.new_event_loop()

    class Sender:
        """Each method executes one command."""

        def channel(self) -> str:
            return channel

        def large_channel(self) -> str:
            return large_channel

        def tickets(self, count: str) -> list[str]:
            return [tickets.issue(wedding.organization_id, api_key_id=key.id)[0] for _ in range(int(count))]

        def tell(self, side: str, number: str) -> float:
            told: float = getattr(self, f"_{side}")(int(number))
            return told

        def large(self, size: str) -> float:
            return self._commit(other_wedding, large_channel, {"text": "x" * int(size)})

        def _ours(self, number: int) -> float:
            return self._commit(wedding, channel, {"number": f"n{number}n"})

        def _commit(self, of: Wedding, name: str, extra: dict[str, str]) -> float:
            times: list[float] = []
            with transaction.atomic():
                transaction.on_commit(lambda: times.append(time.monotonic()))
                payload = {"wedding_id": str(of.id), "capacity": 180, "extra": extra}
                new = NewEvent(
                    of.organization_id, of.id, "venue.capacity_updated", payload, timezone.now(),
                    ChannelEvent.Source.API, [name],
                )  # fmt: skip
                publish([new])
            return times[0]

        def _frame(self, number: int) -> dict[str, Any]:
            payload = {"wedding_id": str(wedding.id), "capacity": 180, "extra": {"number": f"n{number}n"}}
            event = {
                "id": str(wedding.id), "type": "venue.capacity_updated", "priority": "high",
                "occurred_at": timezone.now().isoformat(), "wedding_id": str(wedding.id), "payload": payload,
            }  # fmt: skip
            return {"op": "event", "channel": channel, "sequence": number, "event": event}

        def _bare(self, number: int) -> float:
            text, now = json.dumps(self._frame(number)), time.monotonic()
            client.publish(TOPIC, text)
            return now

        def _stock(self, number: int) -> float:
            message, now = {"type": "event.happened", "event": self._frame(number)}, time.monotonic()
            loop.run_until_complete(layer.group_send(GROUP, message))
            return now

    return Sender()


if __name__ == "__main__":
    main(sys.argv[1])
