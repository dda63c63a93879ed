"""Everything on which a service may depend, given to it as one object."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from sandbox.callbacks.sender import Callbacks
from sandbox.config import ConfigFile, SandboxConfig
from sandbox.rates import TokenBuckets
from sandbox.storage.database import connect
from sandbox.storage.idempotency import IdempotencyKeys
from sandbox.storage.messages import MessageLog
from sandbox.storage.records import Records
from sandbox.storage.request_log import RequestLog
from sandbox.storage.windows import ServiceWindows
from sandbox.tally import Tally
from sandbox.wire import Call, Reply


class Service(Protocol):
    """One outside service. `answer` never blocks: it parses, decides, writes to SQLite, and returns."""

    slug: str

    def answer(self, call: Call) -> Reply:
        """Accept or refuse a request."""

    def failure(self, status: int | None, code: int | str | None) -> Reply:
        """A fault's answer, in the service's own error format; without a status that of the code, or 503."""

    def exists(self, config: SandboxConfig) -> bool:
        """Whether the configuration has this service."""


@runtime_checkable
class OneAtATime(Protocol):
    """A service that refuses a request while another one with the same `Idempotency-Key` is in progress."""

    def concurrent(self) -> Reply:
        """The refusal."""


@dataclass(frozen=True)
class World:
    """The configuration, the stored data, the rate limits and the callbacks to the product."""

    config: ConfigFile
    connection: sqlite3.Connection
    messages: MessageLog
    idempotency: IdempotencyKeys
    requests: RequestLog
    windows: ServiceWindows
    records: Records
    buckets: TokenBuckets
    callbacks: Callbacks
    tally: Tally


def open_world(home: Path) -> World:
    """Read the configuration and open the database under `home`.

    Raises:
        ConfigError: when `sandbox.json` is missing or malformed.
    """
    config = ConfigFile(home)
    connection = connect(home)
    messages = MessageLog(connection)
    return World(
        config=config,
        connection=connection,
        messages=messages,
        idempotency=IdempotencyKeys(connection),
        requests=RequestLog(connection),
        windows=ServiceWindows(connection),
        records=Records(connection),
        buckets=TokenBuckets(),
        callbacks=Callbacks(messages),
        tally=Tally(),
    )
