"""Web processes beside the product's own, on the same rows, with an environment of their own."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from tests.live.product import Product, web_command
from tests.polling import until
from tests.ports import free_port


@dataclass(frozen=True)
class Web:
    """One such process."""

    port: int
    process: subprocess.Popen[bytes]
    log: Path

    def answers(self, probe: str = "/readyz") -> bool:
        assert self.process.poll() is None, self.log.read_text()[-3000:]
        try:
            return requests.get(f"http://127.0.0.1:{self.port}{probe}", timeout=2).ok
        except requests.ConnectionError:
            return False

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Tell it to end; returns its exit code."""
        self.process.send_signal(number)
        return self.process.wait(20)


@contextmanager
def another_web(
    product: Product,
    *,
    probe: str = "/readyz",
    application: str = "wedsync.asgi:application",
    **environment: str,
) -> Iterator[Web]:
    """``probe``: what must answer before a test begins."""
    port = free_port()
    log = product.home / f"web-{port}.log"
    with log.open("ab") as file:
        process = subprocess.Popen(
            [sys.executable, *web_command(port, application)],
            env=product.environment | {"WEDSYNC_PROCESS": f"web-{port}"} | environment,
            stdout=file,
            stderr=file,
        )
    web = Web(port, process, log)
    try:
        until(lambda: web.answers(probe), 40, what="another web process being ready")
        yield web
    finally:
        if process.poll() is None:
            web.end()
