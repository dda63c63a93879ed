"""The product's side of callbacks: a server that keeps what it is sent."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.polling import until


class Product:
    """Receives callbacks; refuses the first of each path when told to."""

    def __init__(self) -> None:
        self.received: list[tuple[str, dict[str, str], bytes]] = []
        self.refuse_first = False
        self.handshakes: list[dict[str, list[str]]] = []
        self.verify_token = "verify"
        product = self

        class Receiver(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                query = parse_qs(urlsplit(self.path).query)
                product.handshakes.append(query)
                known = query["hub.mode"] == ["subscribe"] and query["hub.verify_token"] == [product.verify_token]
                self.send_response(200 if known else 403)
                self.end_headers()
                self.wfile.write(query["hub.challenge"][0].encode())

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                refuse = product.refuse_first and self.path not in [path for path, _, _ in product.received]
                product.received.append((self.path, headers, body))
                self.send_response(503 if refuse else 200)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Be quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def at(self, path: str, count: int) -> list[tuple[dict[str, str], bytes]]:
        """The first `count` callbacks to a path."""

        def look() -> list[tuple[dict[str, str], bytes]] | None:
            found = [(headers, body) for each, headers, body in self.received if each == path]
            return found if len(found) >= count else None

        return until(look)


def statuses(bodies: list[tuple[dict[str, str], bytes]]) -> list[dict[str, Any]]:
    return [
        status
        for _, body in bodies
        for status in json.loads(body)["entry"][0]["changes"][0]["value"].get("statuses", [])
    ]
