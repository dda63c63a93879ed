"""A vendor beside the sockets: signed webhooks at a steady pace, and how long each waits for its answer."""

import http.client
import threading
import time
from types import TracebackType
from typing import Self

from bench.envelopes import TAKEN, Envelopes, signature
from bench.ground import Facts
from bench.servers import Server

EVERY = 0.05  # seconds


class Vendor:
    """Sends while the context lasts. ``milliseconds``: how long each answer took; ``refused``: how many were no 202."""

    def __init__(self, server: Server, facts: Facts, envelopes: Envelopes) -> None:
        self._server, self._facts, self._envelopes = server, facts, envelopes
        self.milliseconds: list[float] = []
        self.refused = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._send)

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop after the webhook that is on its way."""
        self._ended.set()
        self._thread.join()

    def _send(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._server.port, timeout=20)
        while not self._ended.wait(EVERY):
            ((_, body),) = self._envelopes.take(1)
            signed = signature(body, self._facts.secret.encode(), int(time.time()))
            headers = {"Content-Type": "application/json", "X-Venue-Signature": signed}
            began = time.monotonic()
            connection.request("POST", self._facts.path, body, headers)
            answer = connection.getresponse()
            answer.read()
            self.milliseconds.append(1000 * (time.monotonic() - began))
            self.refused += answer.status not in TAKEN
        connection.close()
