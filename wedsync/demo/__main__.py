"""``python -m wedsync.demo``: what ``make demo`` runs."""

import argparse
import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import requests
from rich.console import Console
from rich.markup import escape
from websockets.exceptions import WebSocketException

from wedsync.demo import results
from wedsync.demo.listening import Listener
from wedsync.demo.outside import Outside, Unexpected
from wedsync.demo.own_copy import OwnCopy
from wedsync.demo.playing import SECONDS, SECONDS_WITH_FAULTS, Delivery, Player
from wedsync.demo.results import Row
from wedsync.demo.stories import channel_names, stories
from wedsync.runner.errors import RunnerError

FAULT_HELP = """\
a fault to set in the sandbox before the stories, once per service: SERVICE:MODE[:STATUS][:NAME=VALUE...]. SERVICE:
whatsapp, slack, resend, studio_cloud. MODE: status, latency, hang, reset, flap. NAME: status, seconds, ratio, count,
retry_after, code. For instance whatsapp:status:503:count=2, or slack:latency:seconds=1.5. Everything may then take 45 s
instead of 5 s; the column of attempts shows the retries.
"""
REPORTS = 5
"""The most times that the copy's rows are read; each takes about a second."""
_NUMBERS: dict[str, Callable[[str], float]] = {
    "status": int,
    "seconds": float,
    "ratio": float,
    "count": int,
    "retry_after": int,
}


def fault(text: str) -> dict[str, Any]:
    """A fault for the sandbox from its short form.

    Raises:
        argparse.ArgumentTypeError: it does not have that form.
    """
    service, *rest = text.split(":")
    if not rest:
        raise argparse.ArgumentTypeError(f"{text!r} names no mode, as in whatsapp:status:503:count=2")
    made: dict[str, Any] = {"service": service, "mode": rest.pop(0)}
    for part in rest:
        name, given, value = part.partition("=")
        if not given:
            name, value = "status", name
        made[name] = _fault_value(name, value)
    return made


def _fault_value(name: str, text: str) -> float | str:
    """A service's ``code`` may be a number or a word; everything else is a number."""
    if name == "code":
        return int(text) if text.isdigit() else text
    if name not in _NUMBERS:
        raise argparse.ArgumentTypeError(f"{name!r} is not one of {', '.join([*_NUMBERS, 'code'])}")
    try:
        return _NUMBERS[name](text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{name}={text} needs a number") from error


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make demo",
        description="Start a separate copy of WedSync (a free port, a temporary home), play four stories on it, "
        "check in the sandbox that everything arrived, and stop it. Exits 0 only if all of it arrived in time. "
        "With make, put options in ARGS: make demo ARGS='--json --fault whatsapp:status:503:count=2'",
    )
    parser.add_argument("--json", action="store_true", help="the result as one JSON object on stdout, nothing else")
    parser.add_argument("--keep", action="store_true", help="keep the temporary home and say where it is")
    parser.add_argument("--fault", action="append", default=[], type=fault, metavar="FAULT", help=FAULT_HELP)
    return parser.parse_args(words)


class Demo:
    """One run of the demo."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._arguments = arguments
        self._news = Console(stderr=arguments.json, highlight=False, soft_wrap=True, emoji=False)
        self._copy = OwnCopy()
        self._rows: list[Row] = []

    def run(self) -> int:
        """0 if everything arrived in time; 1 if not; 130 if somebody stopped it."""
        error, code = "", 1
        try:
            self._play()
            code = 0 if results.succeeded(self._rows) else 1
        except (RunnerError, Unexpected, WebSocketException, requests.RequestException, OSError, TimeoutError) as found:
            error = str(found) or type(found).__name__
        except KeyboardInterrupt:
            error, code = "stopped before the end", 130
        finally:
            with self._news.status("Stopping the copy"):
                self._copy.stop()
        self._say("The copy has stopped")
        self._show(error)
        self._leave(failed=code == 1)
        return code

    def _say(self, text: str) -> None:
        self._news.print(f"  [green]ok[/]  {escape(text)}")

    def _play(self) -> None:
        with self._news.status(f"Starting a copy of WedSync on port {self._copy.port}"):
            outside = Outside(self._copy.start())
            people = self._copy.report()["people"]
        self._say(f"A copy of WedSync runs on port {self._copy.port}")
        for each in self._arguments.fault:
            outside.set_fault(each)
            self._say(f"The sandbox will fail as requested: {each}")
        seconds = SECONDS_WITH_FAULTS if self._arguments.fault else SECONDS
        with Listener(outside, channel_names(outside).values()) as listener:
            player = Player(outside, listener, people, seconds)
            played = []
            for story in stories(outside):
                with self._news.status(f"Story {story.name}"):
                    played.append(player.play(story))
                if not played[-1].complete:
                    self._news.print(f"  [red]--[/]  Story {story.name}: something is missing, so the demo ends here")
                    break
                self._say(f"Story {story.name}")
        deliveries = self._deliveries()
        self._rows = [row for each in played for row in player.judge(each, deliveries)]

    def _deliveries(self) -> list[Delivery]:
        """The rows, once nothing is in flight: a message reaches the sandbox a moment before its worker knows."""
        for _ in range(REPORTS):
            found = [Delivery(**row) for row in self._copy.report()["deliveries"]]
            if not any(delivery.state == "in_flight" for delivery in found):
                break
        return found

    def _show(self, error: str) -> None:
        if self._arguments.json:
            print(results.as_json(self._rows, error), flush=True)
        elif self._rows:
            width = None if self._news.is_terminal else 140
            results.show(Console(highlight=False, emoji=False, width=width), self._rows)
        if error:
            Console(stderr=True, highlight=False, soft_wrap=True).print(f"[red]Demo:[/] {escape(error)}")

    def _leave(self, *, failed: bool) -> None:
        if failed:
            print(self._copy.log_tails(), file=sys.stderr)
        if failed or self._arguments.keep:
            print(f"The demo's home is kept: {self._copy.home.path}", file=sys.stderr)
        else:
            self._copy.remove()


def _interrupted(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


def main(words: Sequence[str] | None = None) -> int:
    """Play the demo; returns the exit code."""
    arguments = _arguments(words)
    os.umask(0o077)  # the home holds keys
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # a shell's background jobs ignore SIGINT by default
        signal.signal(number, _interrupted)
    return Demo(arguments).run()


if __name__ == "__main__":
    sys.exit(main())
