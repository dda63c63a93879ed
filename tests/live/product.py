"""The product as real processes on this run's database: web, one worker for all queues, sweep, and the sandbox."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests
from django.db import connection

from tests.polling import until
from tests.ports import free_port

WORKER = [
    "-m", "celery", "-A", "wedsync", "worker", "--queues", "urgent,high,normal,low", "--pool", "threads",
    "--concurrency", "8", "--without-gossip", "--without-mingle", "--loglevel", "WARNING",
]  # fmt: skip


def web_command(port: int, application: str = "wedsync.asgi:application") -> list[str]:
    return [
        "-m", "wedsync.web.server", "--host", "127.0.0.1", "--port", str(port),
        "--application", application,
    ]  # fmt: skip


class Product:
    """Its processes by name; each can be ended and started again by a test."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port, self.sandbox_port = free_port(), free_port()
        self.base_url = f"http://127.0.0.1:{self.port}"
        self.ws_url = f"ws://127.0.0.1:{self.port}/ws/channels/"
        self.sandbox_url = f"http://127.0.0.1:{self.sandbox_port}"
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.commands: dict[str, list[str]] = {
            "sandbox": ["-m", "sandbox", "--port", str(self.sandbox_port), "--home", str(home)],
            "web": web_command(self.port),
            "worker": [*WORKER, "--hostname", f"worker-{self.port}@%h"],
            "sweep": ["manage.py", "sweep", "--loop"],
        }  # fmt: skip
        (home / "run" / "ready").mkdir(parents=True)

    @property
    def environment(self) -> dict[str, str]:
        parts = urlsplit(os.environ["DATABASE_URL"])
        return os.environ | {
            "DATABASE_URL": urlunsplit(parts._replace(path=f"/{connection.settings_dict['NAME']}")),
            "WEDSYNC_HOME": str(self.home),
            "WEDSYNC_PUBLIC_URL": self.base_url,
            "WEDSYNC_OUTBOUND_ALLOW": f"127.0.0.1/32:{self.sandbox_port}",
            "PYTHONWARNINGS": "ignore",
            "WEDSYNC_DRAIN_SECONDS": "0",
        }

    def start(self, *names: str) -> None:
        for name in names or self.commands:
            (self.home / "run" / "ready" / name).unlink(missing_ok=True)
            with (self.home / f"{name}.log").open("ab") as log:
                self.processes[name] = subprocess.Popen(
                    [sys.executable, *self.commands[name]],
                    env=self.environment | {"WEDSYNC_PROCESS": name},
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
        for name in names or self.commands:
            until(lambda name=name: self.answers(name), 40, what=f"{name} being ready")

    def answers(self, name: str) -> bool:
        code = self.processes[name].poll()
        assert code is None, f"{name} ended with {code}: {(self.home / f'{name}.log').read_text()[-3000:]}"
        if name in {"worker", "sweep"}:
            return (self.home / "run" / "ready" / name).exists()
        url = f"{self.base_url}/readyz" if name == "web" else f"{self.sandbox_url}/_/healthz"
        try:
            return requests.get(url, timeout=2).ok
        except requests.ConnectionError:
            return False

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> None:
        process = self.processes.pop(name)
        os.killpg(process.pid, number)
        process.wait(20)

    def stop(self) -> None:
        for process in self.processes.values():
            process.terminate()
        for name, process in self.processes.items():
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise AssertionError(f"{name} did not stop within 20 s: {self.log(name)[-2000:]}") from None

    def log(self, name: str) -> str:
        return (self.home / f"{name}.log").read_text(errors="replace")

    # The sandbox, as the outside world sees it.

    def messages(self, service: str, to: str | None = None) -> list[dict[str, Any]]:
        """What arrived there, oldest first; ``to`` narrows to one recipient."""
        answer = requests.get(f"{self.sandbox_url}/_/messages", params={"service": service, "limit": 1000}, timeout=5)
        found = answer.json()["messages"]
        return [message for message in found if to is None or message["to"] == to]

    def calls(self, service: str) -> list[dict[str, Any]]:
        """Every request, also the failed ones."""
        answer = requests.get(f"{self.sandbox_url}/_/requests", params={"service": service}, timeout=5)
        found: list[dict[str, Any]] = answer.json()["requests"]
        return found

    def fault(self, service: str, mode: str, **rest: Any) -> None:
        body = {"service": service, "mode": mode, **rest}
        answer = requests.post(f"{self.sandbox_url}/_/faults", json=body, timeout=5)
        assert answer.ok, answer.text

    def end_faults(self) -> None:
        requests.delete(f"{self.sandbox_url}/_/faults", timeout=5).raise_for_status()

    def heal(self) -> None:
        """End the faults and forget the calls."""
        self.end_faults()
        requests.delete(f"{self.sandbox_url}/_/requests", timeout=5).raise_for_status()


def write_config(home: Path, config: dict[str, Any]) -> None:
    (home / "sandbox.json").write_text(json.dumps(config))
