"""``manage.py listen``: prints the events of live channels as they come, by the client that customers use."""

import getpass
import json
import shutil
import sys
from argparse import ArgumentParser
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from clients.python.wedsync_live import Event, Live, LiveError, Position, Refused, State, StateName, tickets_by_key

COLUMNS = (("time", 8), ("sequence", 8), ("priority", 8), ("type", 28), ("channel", 54))
NARROWEST = 20  # characters, of the payload's column
AT_THE_DEMO = "demo.json"


class Command(BaseCommand):
    """Runs until Ctrl-C; goes on after a break without a gap, as every client does."""

    help = "Print the events of live channels as a table, until Ctrl-C."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The command line."""
        parser.add_argument("channels", nargs="+", metavar="CHANNEL", help="such as couple:dashboard:<wedding's id>")
        parser.add_argument("--all", action="store_true", dest="everything", help="begin with the first event ever")
        parser.add_argument("--url", help="WedSync's URL, if it is not this installation's")
        parser.add_argument(
            "--key-file",
            type=Path,
            help="a file with an API key that has live:read; by default the demo's, otherwise it is asked for",
        )

    def handle(
        self, *args: Any, channels: list[str], everything: bool, url: str | None, key_file: Path | None, **options: Any
    ) -> None:
        """Print a row for each event."""
        base_url, key = _way_in(url, key_file)
        live = Live(tickets_by_key(base_url, key))
        begin = dict.fromkeys(channels, Position(0)) if everything else None
        self.stdout.write(_row([name for name, _ in COLUMNS], "payload"))
        try:
            for event in live.follow(channels, live=begin, on_state=self._say, on_refused=self._refused):
                self.stdout.write(_row_of(event))
                self.stdout.flush()
        except KeyboardInterrupt:
            return
        except LiveError as error:
            raise CommandError(str(error)) from error

    def _say(self, state: State) -> None:
        self.stderr.write(_state_in_words(state))

    def _refused(self, refused: Refused) -> None:
        if refused.code != "unrecoverable":
            raise refused
        self.stderr.write(f"{refused.channel}: earlier events are no longer kept")


def _way_in(url: str | None, key_file: Path | None) -> tuple[str, str]:
    """The URL and the API key."""
    demo: dict[str, Any] = {}
    at_the_demo = settings.WEDSYNC_HOME / AT_THE_DEMO
    if url is None and key_file is None and at_the_demo.exists():
        demo = json.loads(at_the_demo.read_text())
    try:
        key = key_file.read_text().strip() if key_file else demo.get("api_token")
    except OSError as error:
        raise CommandError(f"The key file cannot be read: {error.strerror}: {key_file}") from error
    if not key and not sys.stdin.isatty():
        raise CommandError("Give an API key by --key-file.")
    return url or demo.get("base_url") or settings.PUBLIC_URL, key or getpass.getpass("API key: ")


def _row_of(event: Event) -> str:
    at = datetime.fromisoformat(event.occurred_at).astimezone()
    values = [f"{at:%H:%M:%S}", str(event.sequence), event.priority, event.type, event.channel]
    return _row(values, json.dumps(event.payload, ensure_ascii=False))


def _row(values: list[str], last: str) -> str:
    row = "  ".join(value.ljust(width) for value, (_, width) in zip(values, COLUMNS, strict=True))
    return f"{row}  {last[: max(NARROWEST, shutil.get_terminal_size().columns - len(row) - 2)]}"


def _state_in_words(state: State) -> str:
    match state.name:
        case StateName.CONNECTING:
            return "connecting"
        case StateName.LIVE:
            return "live"
        case StateName.WAITING:
            return f"connection lost ({state.why or state.code}); trying again in {state.seconds or 0:.1f} s"
        case StateName.ENDED:
            return f"ended: {state.why or state.code}"
