"""Every environment variable that WedSync reads: its name, its default and its meaning.

Nothing else in the product reads its configuration from ``os.environ``, so this file is the complete reference.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from wedsync import env_forms as forms

T = TypeVar("T")


class ConfigurationError(Exception):
    """A variable is missing or cannot be read. The message names it and says what to write there."""


@dataclass(frozen=True)
class Variable(Generic[T]):
    """One environment variable.

    ``default`` is the text used when the variable is unset or empty; ``None`` makes it required.
    """

    name: str
    parse: Callable[[str], T]
    default: str | None
    about: str

    def read(self, environ: Mapping[str, str] | None = None) -> T:
        """The parsed value.

        Raises:
            ConfigurationError: it is required and missing, or not readable. The value itself is never repeated.
        """
        text = (os.environ if environ is None else environ).get(self.name) or self.default
        if text is None:
            raise ConfigurationError(f"{self.name} is not set. It holds: {self.about}")
        try:
            return self.parse(text)
        except ValueError as error:
            raise ConfigurationError(f"{self.name} cannot be read. It holds: {self.about}") from error


VARIABLES: dict[str, Variable[object]] = {}


def _variable(name: str, parse: Callable[[str], T], default: str | None, about: str) -> Variable[T]:
    found = Variable(name, parse, default, about)
    VARIABLES[name] = found  # type: ignore[assignment]
    return found


HOME = _variable("WEDSYNC_HOME", str, ".wedsync", "the folder of data, keys and logs of a copy started by `make run`")
PROCESS = _variable("WEDSYNC_PROCESS", str, "-", "the Procfile's name of this process; `-` outside the supervisor")
HOST = _variable("WEDSYNC_HOST", str, "0.0.0.0", "the address that the web process listens on")  # noqa: S104
PORT = _variable("PORT", int, "8000", "the port of the web process")
PUBLIC_URL = _variable("WEDSYNC_PUBLIC_URL", str, "http://127.0.0.1:8000", "how the outside reaches the web process")
SMTP_NAME = _variable(
    "WEDSYNC_SMTP_NAME", str, "", "the name by which mail servers are greeted; empty: the host of the public URL"
)
ALLOWED_HOSTS = _variable(
    "WEDSYNC_ALLOWED_HOSTS", forms.words, "", "comma-separated host names to which the web answers"
)
DEBUG = _variable("WEDSYNC_DEBUG", forms.flag, "0", "1 shows tracebacks; never in production")
SECURE = _variable("WEDSYNC_SECURE", forms.flag, "0", "1 behind TLS: secure cookies, HSTS, redirect to https")
LOG_LEVEL = _variable("WEDSYNC_LOG_LEVEL", str, "INFO", "DEBUG, INFO, WARNING or ERROR")
LOG_FILE = _variable("WEDSYNC_LOG_FILE", str, "", "the log file, for this process alone; unset: standard error")
LOG_BYTES = _variable("WEDSYNC_LOG_BYTES", int, "10485760", "the size at which a log is rotated to `<name>.log.1`")

DATABASE_URL = _variable("DATABASE_URL", str, None, "postgresql://user:password@host:port/name, PostgreSQL 15 or newer")
REDIS_URL = _variable("REDIS_URL", str, None, "redis://:password@host:port/0, rediss://... or unix:///path/to/socket")
BROKER_URL = _variable("WEDSYNC_BROKER_URL", str, "", "Redis for Celery's queues; unset: REDIS_URL")
CHANNEL_LAYER_URL = _variable("WEDSYNC_CHANNEL_LAYER_URL", str, "", "Redis for the live channels; unset: REDIS_URL")
BREAKER_URL = _variable("WEDSYNC_BREAKER_URL", str, "", "Redis for the circuit breakers; unset: REDIS_URL")

DJANGO_SECRET_KEY = _variable("WEDSYNC_DJANGO_SECRET_KEY", str, None, "50 random characters that sign sessions")
SECRET_KEYS = _variable(
    "WEDSYNC_SECRET_KEYS",
    forms.words,
    "",
    "comma-separated Fernet keys for credentials, newest first; the first encrypts",
)
CREDENTIALS_ALLOWED = _variable(
    "WEDSYNC_CREDENTIALS_ALLOWED",
    forms.listed_credentials,
    "",
    "comma-separated `slug:NAME`: which organization's systems may use which variable as a credential, as `env:NAME`; "
    "names begin with `WEDSYNC_CREDENTIAL_`",
)
OUTBOUND_ALLOW = _variable(
    "WEDSYNC_OUTBOUND_ALLOW",
    forms.allowed_targets,
    "",
    "comma-separated `CIDR:port` of private or plain-http targets that may be called; IPv6 as `[fd00::/8]:443`; "
    "a host without a dot is accepted if its port is listed",
)

DATABASE_CONNECTIONS = _variable(
    "WEDSYNC_DATABASE_CONNECTIONS", int, "20", "the most connections to PostgreSQL that each process uses at once"
)
STATEMENT = _variable(
    "WEDSYNC_STATEMENT_SECONDS",
    float,
    "15",
    "the longest time of one statement for a page or the API; 0: no limit. Workers and the sweep have no limit",
)
WORKER_THREADS = _variable("WEDSYNC_WORKER_THREADS", int, "50", "threads of each worker, and so its simultaneous calls")
RETRY_QUICK = _variable(
    "WEDSYNC_RETRY_QUICK_SECONDS", forms.seconds_list, "1,2,4,8", "comma-separated quick retry delays"
)
RETRY_DURABLE = _variable(
    "WEDSYNC_RETRY_DURABLE_SECONDS",
    forms.seconds_list,
    "60,300,1800,7200,18000,36000",
    "the schedule after the quick retries; the last step repeats until the delivery expires",
)
CALL_DEADLINE = _variable("WEDSYNC_CALL_DEADLINE_SECONDS", float, "30", "the deadline of an outside call")
URGENT_DEADLINE = _variable("WEDSYNC_URGENT_DEADLINE_SECONDS", float, "8", "the same for urgent deliveries")
LEASE = _variable("WEDSYNC_LEASE_SECONDS", float, "40", "how long a claimed delivery belongs to its worker")
URGENT_LEASE = _variable("WEDSYNC_URGENT_LEASE_SECONDS", float, "12", "the same for urgent deliveries")
STATUS_WAIT = _variable(
    "WEDSYNC_STATUS_WAIT_SECONDS", float, "10", "how long a message of unknown outcome waits for its status"
)
URGENT_STATUS_WAIT = _variable("WEDSYNC_URGENT_STATUS_WAIT_SECONDS", float, "5", "the same for urgent deliveries")
ESCALATION = _variable(
    "WEDSYNC_ESCALATION_SECONDS", float, "60", "how long an emergency waits for an acknowledgement before its next step"
)
INCIDENT_PAUSE = _variable(
    "WEDSYNC_INCIDENT_PAUSE_SECONDS", float, "120", "the least time between two messages about an incident's reports"
)
ASSUME_WEDDING = _variable(
    "WEDSYNC_ASSUME_WEDDING_SECONDS",
    float,
    "60",
    "how long staff are asked which wedding an emergency is about before today's only wedding is alerted",
)
STAFF_CALL = _variable(
    "WEDSYNC_STAFF_CALL_SECONDS", float, "60", "how often staff are told again of an emergency that nobody acknowledges"
)
NOBODY_REACHED = _variable(
    "WEDSYNC_NOBODY_REACHED_SECONDS",
    float,
    "15",
    "how long an emergency may reach nobody before owners and support are told too",
)
SELF_TEST_HOUR = _variable(
    "WEDSYNC_SELF_TEST_HOUR",
    int,
    "9",
    "the hour of the day, in UTC, from which the daily self-test of emergencies goes to staff; -1: never",
)
DIGEST_WINDOW = _variable(
    "WEDSYNC_DIGEST_SECONDS", float, "900", "how long low-priority events are collected for one message; 0: not at all"
)
COLLAPSE_WINDOW = _variable(
    "WEDSYNC_COLLAPSE_SECONDS", float, "20", "how long normal and low-priority changes wait for newer ones; 0: no wait"
)
VAPID_PRIVATE_KEY = _variable(
    "WEDSYNC_VAPID_PRIVATE_KEY", forms.vapid_key, "", "signs web push; `manage.py vapid_keys` makes it; unset: none"
)
VAPID_CONTACT = _variable(
    "WEDSYNC_VAPID_CONTACT", forms.vapid_contact, "", "`mailto:` or `https://host` for push services; unset: our host"
)
PUSH_HOSTS = _variable(
    "WEDSYNC_PUSH_HOSTS", forms.host_names, "", "comma-separated further hosts of push services, such as `*.example`"
)
GRAPH_VERSION = _variable("WEDSYNC_GRAPH_VERSION", str, "v26.0", "the version of WhatsApp's Graph API")
TURN = _variable(
    "WEDSYNC_TURN_SECONDS", float, "5", "how long a worker's thread serves one target before it takes its next message"
)
VISIBILITY_TIMEOUT = _variable(
    "WEDSYNC_VISIBILITY_TIMEOUT_SECONDS", float, "120", "when Redis hands an unacknowledged task out again"
)
SWEEP_SECONDS = _variable("WEDSYNC_SWEEP_SECONDS", float, "1", "pause between two sweeps")
SWEEP_OVERDUE = _variable("WEDSYNC_SWEEP_OVERDUE_SECONDS", float, "3", "how overdue rows are that the sweep picks up")
SWEEP_AGAIN = _variable("WEDSYNC_SWEEP_AGAIN_SECONDS", float, "20", "after what time the sweep hints a row again")
BREAKER_FAILURES = _variable("WEDSYNC_BREAKER_FAILURES", int, "5", "failures in a row that open a breaker")
BREAKER_OPEN = _variable("WEDSYNC_BREAKER_OPEN_SECONDS", float, "30", "a breaker's first open time; doubles each time")
BREAKER_OPEN_MAX = _variable("WEDSYNC_BREAKER_OPEN_MAX_SECONDS", float, "600", "the longest open time of a breaker")
BREAKER_WINDOW = _variable("WEDSYNC_BREAKER_WINDOW_SECONDS", float, "60", "the window of a breaker's failure rate")
BREAKER_RATE = _variable("WEDSYNC_BREAKER_RATE", float, "0.5", "share of failures in the window that opens a breaker")
BREAKER_VOLUME = _variable("WEDSYNC_BREAKER_VOLUME", int, "20", "the fewest calls in the window for the share to count")
BREAKER_PROBES = _variable(
    "WEDSYNC_BREAKER_PROBES", int, "1", "simultaneous probes of a half-open breaker; one more for urgent calls"
)
BREAKER_CLOSING = _variable("WEDSYNC_BREAKER_CLOSING", int, "2", "successful probes in a row that close a breaker")
LIMIT_PER_ADDRESS = _variable(
    "WEDSYNC_LIMIT_PER_ADDRESS", int, "1000", "webhooks per hour from one address, unless in a connection's networks"
)
LIMIT_PER_CONNECTION = _variable(
    "WEDSYNC_LIMIT_PER_CONNECTION", int, "1000", "verified webhooks per hour for a connection without its own limit"
)
LIMIT_PER_KEY = _variable("WEDSYNC_LIMIT_PER_KEY", int, "600", "requests per minute for one API key")
LIMIT_PER_SOCKET = _variable("WEDSYNC_LIMIT_PER_SOCKET", int, "50", "requests per second on one socket")
LIMIT_TICKETS = _variable(
    "WEDSYNC_LIMIT_TICKETS",
    int,
    "60",
    "socket tickets per minute for one API key, and for one link to the couple's page",
)
LIMIT_PUBLISHED = _variable("WEDSYNC_LIMIT_PUBLISHED", int, "600", "events per minute that a key or member may publish")
LIMIT_EMERGENCIES = _variable(
    "WEDSYNC_LIMIT_EMERGENCIES",
    int,
    "120",
    "requests per minute for one API key that raise, acknowledge or resolve emergencies; counted separately",
)
BODY_LARGEST = _variable(
    "WEDSYNC_BODY_LARGEST_BYTES", int, "1048576", "the most bytes of a body sent to a page or to `/api/`"
)
IMPORT_LARGEST = _variable(
    "WEDSYNC_IMPORT_LARGEST_BYTES", int, "20971520", "the same for pages that import files: their path ends in /import/"
)
BODIES_AT_ONCE = _variable(
    "WEDSYNC_BODIES_AT_ONCE_BYTES", int, "67108864", "the most bytes of all bodies that a web process holds at once"
)
BODY_IDLE = _variable("WEDSYNC_BODY_IDLE_SECONDS", float, "10", "how long a body may stall before it is refused")
BODY_SLOWEST = _variable("WEDSYNC_BODY_SLOWEST_BYTES", float, "8192", "the slowest rate of a body, in bytes per second")
REQUEST_SECONDS = _variable(
    "WEDSYNC_REQUEST_SECONDS", float, "10", "how long the headers of a request may take to arrive, or the first one"
)
TRUSTED_PROXIES = _variable(
    "WEDSYNC_TRUSTED_PROXIES",
    forms.networks,
    "",
    "comma-separated networks of proxies whose X-Forwarded-For is trusted",
)
TICKET_SECONDS = _variable("WEDSYNC_TICKET_SECONDS", float, "60", "how long a socket ticket can be used")
FOLLOW_SECONDS = _variable("WEDSYNC_FOLLOW_SECONDS", float, "2", "how often a web process checks for missed entries")
SLOW_READER_SECONDS = _variable(
    "WEDSYNC_SLOW_READER_SECONDS", float, "10", "how long a socket may take nothing of what waits for it"
)
STREAM_SECONDS = _variable(
    "WEDSYNC_STREAM_SECONDS", float, "600", "how long a stream of events lasts at most; its client then opens the next"
)
LIVE_ORIGINS = _variable(
    "WEDSYNC_LIVE_ORIGINS",
    forms.origins,
    "",
    "comma-separated origins whose pages may ask for tickets, streams and histories, such as `https://app.example`",
)
PING_SECONDS = _variable(
    "WEDSYNC_PING_SECONDS", float, "20", "how often a socket is pinged, and how long its client may take to answer"
)
DRAIN_SECONDS = _variable(
    "WEDSYNC_DRAIN_SECONDS", float, "10", "how long a web process that is told to end serves on, as its sockets move"
)
SOCKETS_PER_KEY = _variable(
    "WEDSYNC_SOCKETS_PER_KEY", int, "1000", "sockets and streams that one key or person may have open in a web process"
)
SOCKETS_PER_ADDRESS = _variable(
    "WEDSYNC_SOCKETS_PER_ADDRESS", int, "200", "the same for one address; with IPv6 for one network of 64 bits"
)
SOCKETS_SPARED_NETWORKS = _variable(
    "WEDSYNC_SOCKETS_SPARED_NETWORKS",
    forms.networks,
    "",
    "comma-separated networks that `WEDSYNC_SOCKETS_PER_ADDRESS` spares, such as a venue's whose guests share one "
    "address",
)
SOCKETS_PER_PROCESS = _variable(
    "WEDSYNC_SOCKETS_PER_PROCESS", int, "10000", "sockets and streams that a web process has open at once"
)
IDLE_SOCKET_SECONDS = _variable(
    "WEDSYNC_IDLE_SOCKET_SECONDS", float, "60", "how long a socket may follow no channel before it is closed"
)
HEALTH_SECONDS = _variable("WEDSYNC_HEALTH_SECONDS", float, "60", "pause between two rounds of the health sweep")
ECHO = _variable(
    "WEDSYNC_ECHO_SECONDS",
    float,
    "600",
    "how long a system is not told again what it was last told, or last told us; 0: not at all",
)
LOOP = _variable(
    "WEDSYNC_LOOP_SECONDS", float, "600", "the time within which the turns of two contradicting systems are counted"
)
LOOP_TURNS = _variable(
    "WEDSYNC_LOOP_TURNS", int, "10", "turns of two contradicting systems before they are stopped; 0: never"
)
HEALTH_WINDOW = _variable(
    "WEDSYNC_HEALTH_WINDOW_SECONDS", float, "3600", "the period that success rates cover, in whole minutes"
)
HEARTBEAT_SECONDS = _variable("WEDSYNC_HEARTBEAT_SECONDS", float, "5", "pause between two heartbeats of a process")
WATCHDOG_URL = _variable(
    "WEDSYNC_WATCHDOG_URL",
    forms.url,
    "",
    "http(s) URL of an external watchdog, called each minute while the urgent queue, the sweep and PostgreSQL work",
)
METRICS_TOKEN = _variable(
    "WEDSYNC_METRICS_TOKEN", str, "", "the bearer token for `/metrics`; unset: it answers only the same machine"
)

SANDBOX_URL = _variable("WEDSYNC_SANDBOX_URL", str, "http://127.0.0.1:8100", "the demo's sandbox; used by seeding only")
SANDBOX_PORT = _variable("WEDSYNC_SANDBOX_PORT", int, "0", "the sandbox's port under `make run`; 0 for a free one")
