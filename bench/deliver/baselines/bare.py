"""A minimal Celery application: one task that posts the contents of its message.

The options that affect speed are the product's own (wedsync/celery.py): late acknowledgement, a prefetch of one message
per thread, no results, JSON. ``python -m bench.deliver.baselines.bare`` queues calls at the broker in
``BENCH_BROKER``.
"""

import argparse
import json
import os
import sys
import threading
import uuid
from pathlib import Path

import requests
from celery import Celery
from celery.signals import worker_ready
from kombu import Exchange, Queue

DEADLINE = 30.0
QUEUES = ("urgent", "high", "normal", "low")

app = Celery("bare")
app.conf.update(
    broker_url=os.environ["BENCH_BROKER"],
    broker_connection_retry_on_startup=True,
    broker_transport_options={"visibility_timeout": 120, "global_keyprefix": "bench:bare:"},
    task_queues=[Queue(name, Exchange(name, type="direct"), routing_key=name) for name in QUEUES],
    task_default_queue="low",
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    task_serializer="json",
    accept_content=["json"],
    worker_prefetch_multiplier=1,
    worker_send_task_events=False,
    worker_enable_remote_control=False,
)
_threads = threading.local()


def _session() -> requests.Session:
    if not hasattr(_threads, "session"):
        _threads.session = requests.Session()
        _threads.session.trust_env = False
    session: requests.Session = _threads.session
    return session


@app.task(name="bench.post")
def post(url: str, body: str, headers: dict[str, str]) -> None:
    """Post the body; an answer of 400 or above is an error."""
    _session().post(url, data=body.encode(), headers=headers, timeout=DEADLINE).raise_for_status()


@worker_ready.connect
def _ready(**_: object) -> None:
    """As in the product, a file signals that the worker is ready."""
    (Path(os.environ["WEDSYNC_HOME"]) / "run" / "ready" / os.environ["WEDSYNC_PROCESS"]).touch()


def main() -> None:
    """Queue ``--count`` calls, with the body and headers from stdin, spread over the targets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--queue", required=True)
    parser.add_argument("--url", required=True)
    parser.add_argument("--targets", type=int, required=True)
    arguments = parser.parse_args()
    sample = json.load(sys.stdin)
    with app.producer_pool.acquire(block=True) as producer:
        for number in range(arguments.count):
            url = f"{arguments.url}/t/{number % arguments.targets}{sample['path']}"
            headers = sample["headers"] | {"Idempotency-Key": str(uuid.uuid4())}
            post.apply_async((url, sample["body"], headers), queue=arguments.queue, producer=producer)


if __name__ == "__main__":
    main()
