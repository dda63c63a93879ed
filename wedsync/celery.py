"""The Celery application: four queues, late acknowledgement, and short time-outs for Redis (docs/adr/0002, 0003)."""

import os
from pathlib import Path

import structlog
from celery import Celery
from celery.schedules import crontab
from celery.signals import celeryd_init, setup_logging, worker_ready, worker_shutdown
from kombu import Exchange, Queue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wedsync.settings")

from django.conf import settings

from wedsync import env, startup
from wedsync.queues import QUEUE_PREFIX, Priority
from wedsync.workers.broker_watch import BrokerWatch


def _broker(url: str) -> str:
    """The broker's URL as Kombu spells it: Redis over a Unix socket is ``redis+socket``."""
    return f"redis+socket://{url.removeprefix('unix://')}" if url.startswith("unix://") else url


app = Celery("wedsync")
app.set_default()
app.conf.update(
    broker_url=_broker(settings.BROKER_URL),
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_transport_options={
        "visibility_timeout": settings.VISIBILITY_TIMEOUT_SECONDS,
        "global_keyprefix": QUEUE_PREFIX,
        "socket_timeout": 5,
        "socket_connect_timeout": 2,
        "max_retries": 1,
        "interval_start": 0,
        "interval_max": 0.2,
    },
    task_queues=[Queue(name, Exchange(name, type="direct"), routing_key=name) for name in Priority.values],
    task_default_queue=Priority.LOW.value,
    task_create_missing_queues=False,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    task_serializer="json",
    accept_content=["json"],
    worker_consumer="wedsync.workers.consumer:EagerConsumer",
    worker_prefetch_multiplier=1,
    worker_eta_task_limit=1000,
    worker_cancel_long_running_tasks_on_connection_loss=False,
    worker_soft_shutdown_timeout=10,
    worker_send_task_events=False,
    worker_enable_remote_control=False,
    timezone="UTC",
    beat_schedule={
        "prune-webhooks": {"task": "webhooks.prune", "schedule": crontab(minute="17")},
        "forget-requests": {"task": "api.forget_requests", "schedule": crontab(minute="37")},
        "prune-breaker-changes": {"task": "integrations.prune_breaker_changes", "schedule": crontab(minute="27")},
        "sync-clients": {"task": "integrations.sync_clients", "schedule": crontab(minute="*/15")},
        "prune-tickets": {"task": "live.prune_tickets", "schedule": crontab(minute="*/10")},
        "prune-live-log": {"task": "live.prune_log", "schedule": crontab(minute="47")},
        "health-sweep": {
            "task": "integrations.health_sweep",
            "schedule": settings.HEALTH_SECONDS,
            "options": {"queue": Priority.HIGH.value, "expires": settings.HEALTH_SECONDS},
        },
    },
)
app.steps["consumer"].add(BrokerWatch)
app.autodiscover_tasks(["wedsync.live", "integrations", "notifications", "webhooks", "wedsync.api"])


def announce_ready() -> None:
    """Create the file, named after this process, that the supervisor waits for."""
    folder = Path(env.HOME.read()) / "run" / "ready"
    name = env.PROCESS.read()
    if name != "-" and folder.is_dir():
        (folder / name).touch()


@setup_logging.connect
def _keep_our_logging(**_: object) -> None:
    """Keep Celery from replacing the root logger, which Django has configured already."""


@celeryd_init.connect
def _write_lines_only(**_: object) -> None:
    """Keep Celery from printing plain text when a signal ends a worker; :func:`_ended` logs a line instead."""
    from celery.apps import worker  # processes other than workers do not need it

    worker.safe_say = lambda *_: None  # type: ignore[attr-defined]  # its types do not name it


@worker_shutdown.connect
def _ended(**_: object) -> None:
    structlog.get_logger(__name__).info("worker_ended")


@setup_logging.connect
def _make_folder(**_: object) -> None:
    """Create the folder of beat's schedule in a fresh home; this signal comes before workers or beat open files."""
    (Path(env.HOME.read()) / "run").mkdir(parents=True, exist_ok=True)


@celeryd_init.connect
def _verify(**_: object) -> None:
    """Stop a misconfigured worker: Celery logs other exceptions of a signal's receiver and continues."""
    try:
        startup.verify()
    except env.ConfigurationError as error:
        raise SystemExit(f"{type(error).__name__}: {error}") from error


@worker_ready.connect
def _ready(**_: object) -> None:
    announce_ready()
