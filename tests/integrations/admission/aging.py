"""Time that passes at once: whatever admission has stored in Redis becomes older.

The scripts read Redis' clock, which no test can move. To let its records age by a number of seconds is the same.
"""

import redis

from integrations.admission import Lane
from integrations.admission.scripts import MICROSECONDS, SPANS, keys_of


def age(client: redis.Redis, lane: Lane, seconds: int, *, span: int = 10) -> None:
    """Make everything stored of a lane older. ``seconds``: whole spans of the window, each ``span`` seconds."""
    assert seconds % span == 0
    breaker, probes, slots, urgent, bucket, pause = keys_of(lane)
    shift = seconds * MICROSECONDS
    fields = {name.decode(): value.decode() for name, value in client.hgetall(breaker).items()}
    for name in ("open_until", "closed_at", "wanted"):
        if int(fields.get(name, 0)):
            client.hset(breaker, name, int(fields[name]) - shift)
    written = {f"w{place}": fields[f"w{place}"] for place in range(SPANS) if f"w{place}" in fields}
    moved = {}
    for number, rest in (each.split(" ", 1) for each in written.values()):
        older = int(number) - seconds // span
        moved[f"w{older % SPANS}"] = f"{older} {rest}"
    if moved:
        client.hset(breaker, mapping=moved)  # first, since a key whose last field is gone loses its end too
    if gone := written.keys() - moved.keys():
        client.hdel(breaker, *gone)
    for key in (probes, slots, urgent):
        for token, ends in client.zrange(key, 0, -1, withscores=True):
            client.zadd(key, {token: ends - shift})
    for key in (bucket, pause):
        if at := client.get(key):
            client.set(key, int(at) - shift, keepttl=True)
