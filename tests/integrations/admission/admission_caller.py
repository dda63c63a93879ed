"""A process of its own that calls targets from several threads, as a test tells it on its standard input.

It says ``ready``. Each line it gets is a system's id, a limit, and what every call shall come to; it makes its calls
and prints what it saw as JSON.
"""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

THREADS, ASKS = 6, 40


def calls_of(system_id: str, call_limit: str, result_name: str) -> list[dict[str, Any]]:
    from django.conf import settings

    from integrations import admission
    from integrations.admission import CallResult, Lane
    from integrations.admission.scripts import scripts_at

    lane = Lane(UUID(system_id), system_id, int(call_limit), None, 1)
    client = scripts_at(settings.BREAKER_URL).client
    counter = f"test:in-flight:{system_id}"
    client.ping()

    def calls(_: int) -> dict[str, Any]:
        made, most, changes, probes = 0, 0, [], 0
        for _ in range(ASKS):
            permit = admission.ask(lane, urgent=False)
            if not permit.granted:
                continue
            assert permit.generation is not None, "Redis was there all the time"
            made += 1
            probes += permit.probe
            most = max(most, int(client.incr(counter)))
            client.decr(counter)
            change = admission.report(lane, permit, CallResult(result_name), delivery_id=uuid4(), alone=False)
            changes.append(change.value)
        return {"made": made, "most": most, "changes": changes, "probes": probes}

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(calls, range(THREADS)))


def main() -> None:
    import django

    django.setup()
    print("ready", flush=True)
    for line in sys.stdin:
        print(json.dumps(calls_of(*line.split())), flush=True)


if __name__ == "__main__":
    main()
