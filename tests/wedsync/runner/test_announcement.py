"""The webhook that a person pastes, pasted."""

import http.server
import json
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from datetime import datetime

import pytest

from tests.vendor import signature
from wedsync.runner.output.announcement import Demo, webhook_line

SECRETS = ("it's a $ecret! \\ é", "-begins-with-a-dash")


class Receiver(http.server.ThreadingHTTPServer):
    """Keeps what it is sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.seen: list[tuple[str, dict[str, str], bytes]] = []


class Answer(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert isinstance(self.server, Receiver)
        self.server.seen.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
        self.send_response(202)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("shell", ["bash", "dash", "sh"])
def test_each_paste_is_a_new_webhook_with_a_signature_that_holds(receiver: Receiver, shell: str, secret: str) -> None:
    if not all(shutil.which(tool) for tool in (shell, "curl", "openssl")):
        pytest.skip(f"{shell}, curl or openssl is missing")
    url = f"http://127.0.0.1:{receiver.server_port}/api/webhooks/channel-events/c1"
    demo = Demo("http://x", "http://y", "admin", "pw", "0197-wedding", url, secret, "http://x/couple/open/y/")
    for _ in range(2):
        subprocess.run([shell], input=webhook_line(demo) + "\n", text=True, check=True, capture_output=True, timeout=20)

    bodies = [json.loads(body) for _, _, body in receiver.seen]
    assert bodies[0]["id"] != bodies[1]["id"]
    assert bodies[0]["payload"]["max_capacity"] != bodies[1]["payload"]["max_capacity"]
    for (path, headers, raw), body in zip(receiver.seen, bodies, strict=True):
        stamp = int(headers["x-venue-signature"].removeprefix("t=").partition(",")[0])
        assert headers["x-venue-signature"] == signature(raw, secret, at=stamp)
        assert abs(time.time() - stamp) < 30
        assert (path, headers["content-type"]) == ("/api/webhooks/channel-events/c1", "application/json")
        assert (body["eventType"], body["payload"]["wedding_id"]) == ("capacity.updated", "0197-wedding")
        assert 120 <= body["payload"]["max_capacity"] < 9120
        assert body["payload"]["previous"] == 150
        assert datetime.fromisoformat(body["timestamp"]).utcoffset() is not None
