"""The JavaScript client in Node, as a test plays with it."""

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.docs.pages import ROOT
from tests.live.networks import Network
from tests.live.world import World
from tests.node import NODE
from tests.polling import until

CLIENT = ROOT / "clients" / "javascript" / "wedsync-live.js"
DRIVER = ROOT / "tests" / "live" / "javascript" / "driver.mjs"
TIMES = {"patience": 1.5, "trust": 0.5, "ping": 3, "first": 0.2, "longest": 1, "settled": 1}


class NodeClient:
    """What it told, in order."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.told: list[dict[str, Any]] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def do(self, command: str, **fields: Any) -> None:
        assert self._process.stdin
        self._process.stdin.write(json.dumps({"command": command, **fields}) + "\n")
        self._process.stdin.flush()

    def follow(self, *channels: str, **fields: Any) -> None:
        self.do("follow", channels=channels, **fields)

    def shown(self, number: int = 0) -> list[int]:
        """The capacities of the events that it showed."""
        events = [each["event"] for each in self.told if "event" in each and each["number"] == number]
        return [event["capacity"] for event in events if "capacity" in event]

    def state(self, number: int = 0) -> str:
        found = [each["state"] for each in self.told if "state" in each and each["number"] == number]
        return str(found[-1]) if found else ""

    def becomes(self, state: str, seconds: float = 10, number: int = 0) -> None:
        until(lambda: self.state(number) == state, seconds, what=f"the state {state} ({self.told})")

    def tells(self, what: str, times: int = 1, seconds: float = 10) -> Any:
        """The latest of what it told so, once it did so often."""

        def look() -> list[Any]:
            found = [each for each in self.told if what in each]
            return found if len(found) >= times else []

        return until(look, seconds, what=f"{what} ({self.told})")[-1]

    def shows(self, capacities: list[int], seconds: float = 10, number: int = 0) -> None:
        """Waits until it has shown these, and nothing else."""
        until(lambda: len(self.shown(number)) >= len(capacities), seconds, what=f"{capacities} ({self.told})")
        assert self.shown(number) == capacities

    def finish(self) -> None:
        """After its end: read what is left."""
        self._reader.join()

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            self.told.append(json.loads(line))


@contextmanager
def node_client(
    world: World, network: Network | None = None, ticket: dict[str, Any] | None = None, **times: float
) -> Iterator[NodeClient]:
    """``ticket``: what its tickets are limited to."""
    port = network.port if network else world.product.port
    setup = {
        "client": str(CLIENT),
        "tickets_url": f"http://127.0.0.1:{port}/api/channels/tickets/",
        "ws_url": f"ws://127.0.0.1:{port}/ws/channels/",
        "headers": {**world.headers, "Content-Type": "application/json"},
        "ticket": ticket or {},
        "times": TIMES | times,
    }
    process = subprocess.Popen(
        [str(NODE), str(DRIVER)],
        env={"SETUP": json.dumps(setup)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        client = NodeClient(process)
        try:
            yield client
            assert process.poll() is None, "the client has ended by itself"
        finally:
            process.kill()
            client.finish()
