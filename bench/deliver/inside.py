"""``python -m bench.deliver.inside COMMAND``: commands that must run inside the product's Django; prints JSON."""

import argparse
import json
import os
import sys
import time
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wedsync.settings")
django.setup()

from bench.deliver import rows  # noqa: E402
from wedsync.celery import app  # noqa: E402,F401  # the hints' Celery
from wedsync.live.fan_out import hints  # noqa: E402


def _world(arguments: argparse.Namespace) -> Any:
    rows.make_world(arguments.url, arguments.targets, arguments.weddings)
    return rows.sample()


def _fill(arguments: argparse.Namespace) -> Any:
    rows.fill(arguments.count, arguments.priorities)
    return {}


def _limit(arguments: argparse.Namespace) -> Any:
    return {"known": rows.limit_targets(limited=arguments.limited)}


def _probe(arguments: argparse.Namespace) -> Any:
    """Make urgent deliveries at a steady pace; returns the Unix time of each one's commit, by id."""
    committed: dict[str, float] = {}
    beat = time.monotonic()
    for delivery in rows.urgent_makers(arguments.count):
        committed[str(delivery.id)] = time.time()
        hints.delivery_due(delivery.id, delivery.priority, delivery.system_id)
        beat += arguments.every
        time.sleep(max(0.0, beat - time.monotonic()))
    hints.flush()
    return committed


def main() -> None:
    """Read the arguments, run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(required=True)
    world = commands.add_parser("world")
    world.add_argument("--url", required=True)
    world.add_argument("--targets", type=int, required=True)
    world.add_argument("--weddings", type=int, required=True)
    world.set_defaults(work=_world)
    fill = commands.add_parser("fill")
    fill.add_argument("--count", type=int, required=True)
    fill.add_argument("--priorities", nargs="+", required=True)
    fill.set_defaults(work=_fill)
    limit = commands.add_parser("limit")
    limit.add_argument("--limited", action="store_true")
    limit.set_defaults(work=_limit)
    probe = commands.add_parser("probe")
    probe.add_argument("--count", type=int, required=True)
    probe.add_argument("--every", type=float, required=True)
    probe.set_defaults(work=_probe)
    arguments = parser.parse_args()
    json.dump(arguments.work(arguments), sys.stdout)


if __name__ == "__main__":
    main()
