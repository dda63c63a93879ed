"""One copy of WedSync from start to stop: lock, clean up, servers, setup, processes, announcement."""

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from wedsync.env import DATABASE_CONNECTIONS, LOG_BYTES, ConfigurationError
from wedsync.runner import environment, ports, runtime
from wedsync.runner.embedded import EmbeddedPostgres, EmbeddedValkey
from wedsync.runner.embedded.postgres import MAX_CONNECTIONS
from wedsync.runner.embedded.server import START_TIMEOUT, EmbeddedServer
from wedsync.runner.errors import RunnerError
from wedsync.runner.home import Home
from wedsync.runner.output.announcement import Demo, block
from wedsync.runner.output.log_files import Notes, keep_small
from wedsync.runner.output.progress import Progress
from wedsync.runner.supervision import procfile
from wedsync.runner.supervision.processes import ProcessRecord, end_orphans
from wedsync.runner.supervision.program import Program, Readiness, Stage
from wedsync.runner.supervision.readiness import wait_for_all
from wedsync.runner.supervision.supervisor import Supervisor

READY_TIMEOUT = 180.0
"""Within this many seconds everything must answer; a small machine starts seven Python processes at once."""
CONNECTIONS_BESIDE_WORKERS = 60
"""Database connections for the web process, the sweep, the beat and a person's own tools."""

GRACE = 12.0
"""Seconds that a process has to end."""
GRACE_OF_WEB = 30.0
"""The same for the web process, which completes closing handshakes and requests."""

T = TypeVar("T")


@dataclass(frozen=True)
class Copy:
    """What one copy of WedSync consists of. Commands are in ``sh``'s syntax and run in the Procfile's folder."""

    home: Home
    port: int
    procfile: Path
    setup: Sequence[tuple[str, str]]
    sandbox: str
    environment: Mapping[str, str]


class Launcher:
    """Starts one copy and stops it again."""

    def __init__(self, copy: Copy, progress: Progress) -> None:
        self._copy = copy
        self._home = copy.home
        self._progress = progress
        self._commands = procfile.read(copy.procfile)

    def run(self) -> None:
        """Run the copy; returns once somebody has stopped it and everything has ended.

        Raises:
            RunnerError: it could not start; nothing is left running.
        """
        home = self._home
        home.create()
        home.lock()
        try:
            self._progress.notes = Notes(home.log("runner"), self._log_bytes())
            record = ProcessRecord(home.run / "processes.json")
            self._clean_up(record)
            ports.require_free("PORT", self._copy.port)
            sandbox_port = ports.sandbox_port(
                home.path, home.sandbox_port_file, self._copy.environment, self._copy.port
            )
            asyncio.run(self._live(record, sandbox_port))
        finally:
            runtime.remove(home.runtime())
            home.ready_file.unlink(missing_ok=True)
            home.unlock()

    def _clean_up(self, record: ProcessRecord) -> None:
        """End processes that a killed runner of this home left; its web process may still hold the port."""
        self._home.ready_file.unlink(missing_ok=True)
        if found := end_orphans(record, self._home.path):
            names = ", ".join(process.name for process in found)
            self._progress.say(f"  Ended processes left by an earlier start of this home: {names}")

    async def _live(self, record: ProcessRecord, sandbox_port: int) -> None:
        supervisor = Supervisor(record, self._progress.news)
        asked = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, self._asked_to_stop, asked, supervisor)
        work = asyncio.create_task(self._bring_up(supervisor, sandbox_port))
        small = asyncio.create_task(keep_small(supervisor.logs_of_others, self._log_bytes()))
        waiting = asyncio.create_task(asked.wait())
        try:
            await asyncio.wait({work, waiting}, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                work.result()
                await waiting
        finally:
            work.cancel()
            waiting.cancel()
            small.cancel()
            await asyncio.gather(work, waiting, small, return_exceptions=True)
            self._home.ready_file.unlink(missing_ok=True)
            with self._progress.step("everything stopped"):
                await supervisor.stop()

    def _asked_to_stop(self, asked: asyncio.Event, supervisor: Supervisor) -> None:
        if asked.is_set():
            supervisor.hasten.set()
        else:
            asked.set()
            self._progress.say("\nStopping everything. Press Ctrl-C again to stop immediately.")

    async def _bring_up(self, supervisor: Supervisor, sandbox_port: int) -> None:
        home = self._home
        self._progress.say(f"WedSync starts: port {self._copy.port}, home {home.path}")
        urls = [await self._start_server(supervisor, name) for name in ("DATABASE_URL", "REDIS_URL")]
        children = environment.for_children(
            self._copy.environment, home, self._copy.port, sandbox_port, database_url=urls[0], redis_url=urls[1]
        )
        for name, command in self._copy.setup:
            with self._progress.step(name):
                await supervisor.run(self._program(name, command, children))
        with self._progress.step("every process answers"):
            for name, command in self._commands.items():
                await supervisor.start(self._program(name, command, children))
            await supervisor.start(self._sandbox(children))
            await wait_for_all(supervisor, READY_TIMEOUT, lambda name: self._progress.detail(f"{name} is ready"))
        self._progress.say(block(Demo.read(home.demo_file), home.path))
        home.ready_file.write_text(json.dumps({"base_url": children["WEDSYNC_PUBLIC_URL"], "pid": os.getpid()}))

    async def _start_server(self, supervisor: Supervisor, variable: str) -> str:
        """The URL of a server: the operator's own if the variable names one, else that of the embedded one, started."""
        if given := self._copy.environment.get(variable):
            self._progress.say(f"  {variable} is set: no embedded server for it")
            return given
        server: EmbeddedServer
        if variable == "DATABASE_URL":
            self._check_connections()
            server = EmbeddedPostgres(self._home)
        else:
            server = EmbeddedValkey(self._home)
        with self._progress.step(server.label):
            await _uninterrupted(server.prepare)
            child = await supervisor.start(server.program())
            deadline = asyncio.get_running_loop().time() + START_TIMEOUT
            while not await asyncio.to_thread(server.answers):
                if child.deaths > 1 or asyncio.get_running_loop().time() > deadline:
                    raise RunnerError(f"{server.label} does not start, see {child.program.log}")
                await asyncio.sleep(0.02)
        return server.url

    def _check_connections(self) -> None:
        """Check that the workers' connections fit the limit of the embedded PostgreSQL.

        Raises:
            RunnerError: too many connections, or not a number.
        """
        name = DATABASE_CONNECTIONS.name
        try:
            connections = DATABASE_CONNECTIONS.read(self._copy.environment)
        except ConfigurationError as error:
            raise RunnerError(str(error)) from error
        workers = sum(each.startswith("worker") for each in self._commands)
        room = MAX_CONNECTIONS - CONNECTIONS_BESIDE_WORKERS
        if connections * workers > room:
            raise RunnerError(f"{name}={connections} is too many: at most {room // workers} fit here.")

    def _log_bytes(self) -> int:
        """The size at which a log is rotated.

        Raises:
            RunnerError: not a number.
        """
        try:
            return LOG_BYTES.read(self._copy.environment)
        except ConfigurationError as error:
            raise RunnerError(str(error)) from error

    def _program(self, name: str, command: str, children: Mapping[str, str]) -> Program:
        """A process of the Procfile. Workers and the sweep are ready by a file, web by its answer, others by life."""
        ready = self._home.ready / name
        readiness, ready_at = Readiness.ALIVE, ""
        stop_signal, grace = signal.SIGTERM, GRACE
        if name == "web":
            readiness, ready_at = Readiness.URL, f"{children['WEDSYNC_PUBLIC_URL']}/readyz"
            stop_signal, grace = signal.SIGINT, GRACE_OF_WEB  # SIGTERM would serve on, for others to take over
        elif name == "sweep" or name.startswith("worker"):
            readiness, ready_at = Readiness.FILE, str(ready)
        return Program(
            name=name,
            command=procfile.shell(command),
            environment={**children, "WEDSYNC_PROCESS": name, "WEDSYNC_LOG_FILE": str(self._home.log(name))},
            directory=self._copy.procfile.resolve().parent,
            log=self._home.log(name),
            rotates_itself=True,
            stop_signal=stop_signal,
            grace=grace,
            before_start=lambda: ready.unlink(missing_ok=True),
            readiness=readiness,
            ready_at=ready_at,
        )

    def _sandbox(self, children: Mapping[str, str]) -> Program:
        url = children["WEDSYNC_SANDBOX_URL"]
        return Program(
            name="sandbox",
            command=procfile.shell(self._copy.sandbox),
            environment={
                **children,
                "WEDSYNC_PROCESS": "sandbox",
                "WEDSYNC_SANDBOX_PORT": url.rpartition(":")[2],
            },
            directory=self._copy.procfile.resolve().parent,
            log=self._home.log("sandbox"),
            stage=Stage.SANDBOX,
            readiness=Readiness.URL,
            ready_at=f"{url}/_/healthz",
        )


async def _uninterrupted(work: Callable[[], T]) -> T:
    """Do blocking work in a thread; a Ctrl-C meanwhile waits for it, since a thread cannot be interrupted."""
    running = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        with contextlib.suppress(RunnerError):
            await running
        raise
