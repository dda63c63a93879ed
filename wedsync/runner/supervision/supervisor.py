"""The supervisor: starts programs, restarts those that die, and stops everything in order."""

import asyncio
import contextlib
import signal
import time
from asyncio.subprocess import Process
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from wedsync.runner.errors import RunnerError
from wedsync.runner.supervision.processes import ProcessRecord, Recorded, kill_group, send, start_time
from wedsync.runner.supervision.program import Program, last_lines

Announce = Callable[[str], None]


@dataclass(frozen=True)
class Backoff:
    """Seconds between a death and the next start: doubling from ``first`` to ``longest``.

    A program that lived for ``healthy`` seconds starts again from ``first``.
    """

    first: float = 0.5
    longest: float = 10.0
    healthy: float = 30.0

    def delay(self, deaths: int) -> float:
        """The wait after a number of deaths in a row, counted from 1."""
        return min(self.longest, self.first * 2.0 ** min(deaths - 1, 16))


def describe(code: int) -> str:
    """A return code in words."""
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


class Child:
    """One program under supervision, over all of its lives."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.process: Process | None = None
        self.deaths = 0
        self.starting = asyncio.Lock()
        self.stopping = asyncio.Event()
        self.task: asyncio.Task[None] | None = None

    @property
    def alive(self) -> bool:
        """Whether its process is alive now."""
        return self.process is not None and self.process.returncode is None


class Supervisor:
    """Keeps programs alive until :meth:`stop`.

    Arguments:
        record: lists every living process, for the next start after the runner was killed.
        announce: called with one line for a person.
    """

    def __init__(self, record: ProcessRecord, announce: Announce, backoff: Backoff | None = None) -> None:
        self._record = record
        self._announce = announce
        self._backoff = backoff or Backoff()
        self.children: dict[str, Child] = {}
        self.hasten = asyncio.Event()

    async def start(self, program: Program) -> Child:
        """Start a program and keep it alive from now on."""
        child = Child(program)
        self.children[program.name] = child
        await self._spawn(child)
        child.task = asyncio.create_task(self._keep_alive(child))
        return child

    async def run(self, program: Program) -> None:
        """Run a program once, to its end.

        Raises:
            RunnerError: it failed; the message includes the end of its log.
        """
        child = Child(program)
        self.children[program.name] = child
        await self._spawn(child)
        code = await self._buried(child)
        del self.children[program.name]
        if code != 0:
            raise RunnerError(
                f"{program.name} failed ({describe(code)}). The end of {program.log}:\n{last_lines(program.log, 15)}"
            )

    def logs_of_others(self) -> list[Path]:
        """The logs of programs that do not keep them small on their own."""
        return [child.program.log for child in self.children.values() if not child.program.rotates_itself]

    async def stop(self) -> None:
        """Stop everything, stage by stage; returns when nothing is left. ``hasten`` shortens the wait."""
        for stage in sorted({child.program.stage for child in self.children.values()}):
            members = [child for child in self.children.values() if child.program.stage == stage]
            await asyncio.gather(*(self._stop(child) for child in members))

    async def _spawn(self, child: Child) -> None:
        """Start the program, unless it is to stop; the lock keeps a stop from missing a process that is starting."""
        program = child.program
        async with child.starting:
            if child.stopping.is_set():
                return
            if program.before_start:
                await asyncio.to_thread(program.before_start)
            with program.log.open("ab") as log:
                process = await asyncio.create_subprocess_exec(*program.command, **program.popen_options(log))
            child.process = process
            if started := start_time(process.pid):
                self._record.add(
                    Recorded(program.name, process.pid, started, program.stage.value, program.stop_signal.value)
                )

    async def _buried(self, child: Child) -> int:
        """Wait for a process to end, kill what it had started itself, and forget both."""
        process = child.process
        if process is None:
            return 0
        code = await process.wait()
        kill_group(process.pid)
        self._record.discard(process.pid)
        return code

    async def _keep_alive(self, child: Child) -> None:
        name, log = child.program.name, child.program.log
        while True:
            began = time.monotonic()
            code = await self._buried(child)
            if child.stopping.is_set():
                return
            child.deaths = 1 if time.monotonic() - began > self._backoff.healthy else child.deaths + 1
            delay = self._backoff.delay(child.deaths)
            self._announce(f"{name} died ({describe(code)}); starting it again in {delay:g} s, see {log}")
            await self._respawn(child, delay)
            if child.alive and child.process:
                self._announce(f"{name} runs again (process {child.process.pid})")

    async def _respawn(self, child: Child, delay: float) -> None:
        """Start after ``delay``; retry while the system lacks memory or processes."""
        while not await self._told_to_stop(child, delay):
            try:
                await self._spawn(child)
            except (OSError, RunnerError) as error:
                delay = self._backoff.longest
                self._announce(f"{child.program.name} cannot be started ({error}); trying again in {delay:g} s")
            else:
                break

    async def _told_to_stop(self, child: Child, within: float) -> bool:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(child.stopping.wait(), within)
        return child.stopping.is_set()

    async def _stop(self, child: Child) -> None:
        child.stopping.set()
        async with child.starting:
            process = child.process
        if process is None:
            return
        burial = child.task or asyncio.create_task(self._keep_alive(child))
        for number in (child.program.stop_signal, child.program.hurry_signal, signal.SIGKILL):
            if process.returncode is None:
                send(process.pid, number)
            if await self._ended(process, child.program.grace):
                break
        await burial

    async def _ended(self, process: Process, grace: float) -> bool:
        """Whether it ended within its grace, which a second Ctrl-C shortens to one second."""
        ended = asyncio.ensure_future(process.wait())
        hastened = asyncio.ensure_future(self.hasten.wait())
        try:
            if not self.hasten.is_set():
                await asyncio.wait({ended, hastened}, timeout=grace, return_when=asyncio.FIRST_COMPLETED)
            if not ended.done() and self.hasten.is_set():
                await asyncio.wait({ended}, timeout=1.0)
            return ended.done()
        finally:
            hastened.cancel()
            ended.cancel()
