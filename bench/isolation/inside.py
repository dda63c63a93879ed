"""``python -m bench.isolation.inside``: commands that must run inside the product's Django.

Prints ``ready``; then runs a command for each line, a JSON list of its words, and prints its result as a line of JSON.
"""

import argparse
import json
import os
import sys
import time
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wedsync.settings")
django.setup()

from bench.isolation import rows  # noqa: E402
from bench.isolation.standby import READY  # noqa: E402
from integrations.models import System  # noqa: E402
from wedsync.celery import app  # noqa: E402,F401  # the hints' Celery
from wedsync.live.fan_out import hints  # noqa: E402


def _targets(arguments: argparse.Namespace) -> Any:
    return rows.add_targets(dict(pair.split("=", 1) for pair in arguments.urls))


def _beat(arguments: argparse.Namespace) -> Any:
    """The Unix time of each delivery's commit, and its priority, by id."""
    made: dict[str, tuple[float, str]] = {}
    following = time.monotonic()
    for delivery in rows.beat(arguments.count):
        made[str(delivery.id)] = (time.time(), delivery.priority)
        hints.delivery_due(delivery.id, delivery.priority, delivery.system_id)
        following += arguments.every
        time.sleep(max(0.0, following - time.monotonic()))
    hints.flush()
    return made


def _backlog(arguments: argparse.Namespace) -> Any:
    rows.backlog(arguments.names, arguments.count, paced=arguments.paced, finished=arguments.finished)
    return {}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(required=True)
    targets = commands.add_parser("targets")
    targets.add_argument("urls", nargs="+", metavar="NAME=URL")
    targets.set_defaults(work=_targets)
    beat = commands.add_parser("beat")
    beat.add_argument("--count", type=int, required=True)
    beat.add_argument("--every", type=float, required=True)
    beat.set_defaults(work=_beat)
    backlog = commands.add_parser("backlog")
    backlog.add_argument("names", nargs="+")
    backlog.add_argument("--count", type=int, required=True)
    backlog.add_argument("--paced", action="store_true")
    backlog.add_argument("--finished", action="store_true")
    backlog.set_defaults(work=_backlog)
    return parser


def main() -> None:
    """Run the command in each line of the input."""
    parser = _parser()
    System.objects.exists()  # connects before the first command
    print(READY, flush=True)
    for line in sys.stdin:
        arguments = parser.parse_args(json.loads(line))
        print(json.dumps(arguments.work(arguments)), flush=True)


if __name__ == "__main__":
    main()
