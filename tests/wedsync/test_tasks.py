"""Every task goes to a queue that a worker of the Procfile reads."""

import re
from pathlib import Path

from wedsync.celery import app
from wedsync.queues import Priority

PROCFILE = Path(__file__).parents[2] / "Procfile"


def test_each_queue_has_its_worker_and_each_worker_its_queue() -> None:
    assert set(re.findall(r"--queues (\w+)", PROCFILE.read_text())) == set(Priority.values)


def test_a_message_for_one_queue_reaches_no_other() -> None:
    for queue in app.conf.task_queues:
        assert (queue.exchange.name, queue.routing_key) == (queue.name, queue.name)


def test_every_task_of_ours_is_known_and_scheduled_ones_go_to_the_low_queue() -> None:
    app.loader.import_default_modules()
    ours = {name for name in app.tasks if not name.startswith("celery.")}

    assert {"integrations.route", "integrations.deliver", "webhooks.prune", "live.prune_tickets"} <= ours
    assert {entry["task"] for entry in app.conf.beat_schedule.values()} <= ours
    assert app.conf.task_default_queue == Priority.LOW


def test_low_and_normal_yield_the_processor_to_the_urgent() -> None:
    nice = {line.split(":")[0] for line in PROCFILE.read_text().splitlines() if "nice -n 10" in line}
    assert nice == {"worker-low", "worker-normal"}
