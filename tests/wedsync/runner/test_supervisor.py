"""The supervisor with children that misbehave."""

import asyncio
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from wedsync.runner.errors import RunnerError
from wedsync.runner.supervision.processes import ProcessRecord, start_time
from wedsync.runner.supervision.program import Program, Stage
from wedsync.runner.supervision.supervisor import Backoff, Supervisor

DEAF = "trap '' TERM; touch deaf; while :; do sleep 0.05; done"


def program(folder: Path, script: str, name: str = "child", **options: object) -> Program:
    return Program(
        name=name,
        command=("/bin/sh", "-c", script),
        environment={"PATH": "/usr/bin:/bin"},
        directory=folder,
        log=folder / f"{name}.log",
        **options,  # type: ignore[arg-type]
    )


def supervisor(folder: Path, news: list[str]) -> Supervisor:
    return Supervisor(ProcessRecord(folder / "processes.json"), news.append, Backoff(first=0.05, longest=0.2))


async def until(condition: Callable[[], bool], within: float = 5.0) -> None:
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


def test_the_wait_doubles_up_to_its_limit() -> None:
    assert [Backoff().delay(deaths) for deaths in (1, 2, 3, 4, 5, 6, 1000)] == [0.5, 1, 2, 4, 8, 10, 10]


def test_a_dying_child_is_started_again_ever_more_slowly(tmp_path: Path) -> None:
    async def play() -> list[str]:
        news: list[str] = []
        watching = supervisor(tmp_path, news)
        await watching.start(program(tmp_path, "echo lived >> lives; exit 3"))
        await until(lambda: sum("died" in line for line in news) >= 4)
        await watching.stop()
        return news

    news = asyncio.run(play())
    waits = [line.partition("again in ")[2].split()[0] for line in news if "died (exit code 3)" in line]
    assert waits[:4] == ["0.05", "0.1", "0.2", "0.2"]
    assert len((tmp_path / "lives").read_text().split()) >= 4
    assert ProcessRecord(tmp_path / "processes.json").read() == []


def test_a_child_that_lived_long_enough_starts_again_at_once(tmp_path: Path) -> None:
    async def play() -> list[str]:
        news: list[str] = []
        watching = Supervisor(ProcessRecord(tmp_path / "p.json"), news.append, Backoff(0.05, 10.0, healthy=0.02))
        await watching.start(program(tmp_path, "sleep 0.1"))
        await until(lambda: sum("died" in line for line in news) >= 3)
        await watching.stop()
        return news

    assert all("again in 0.05 s" in line for line in asyncio.run(play()) if "died" in line)


def test_what_a_dead_child_had_started_is_ended_before_the_next_life(tmp_path: Path) -> None:
    async def play() -> None:
        watching = supervisor(tmp_path, [])
        child = await watching.start(program(tmp_path, "sleep 60 & echo $! > grandchild; wait"))
        await until(lambda: bool((tmp_path / "grandchild").exists() and (tmp_path / "grandchild").read_text().strip()))
        grandchild = int((tmp_path / "grandchild").read_text())
        assert child.process
        child.process.kill()
        await until(lambda: start_time(grandchild) is None)
        await watching.stop()

    asyncio.run(play())


@pytest.mark.parametrize("impatient", [False, True], ids=["after its grace", "on a second Ctrl-C"])
def test_a_child_that_does_not_listen_is_killed(tmp_path: Path, impatient: bool) -> None:
    async def play() -> float:
        watching = supervisor(tmp_path, [])
        child = await watching.start(program(tmp_path, DEAF, grace=60.0 if impatient else 0.3))
        await until((tmp_path / "deaf").exists)
        began = time.monotonic()
        stopping = asyncio.create_task(watching.stop())
        if impatient:
            await until(child.stopping.is_set)
            watching.hasten.set()
        await stopping
        assert child.process
        assert child.process.returncode == -signal.SIGKILL
        return time.monotonic() - began

    assert asyncio.run(play()) < 5


def test_servers_outlive_what_works_with_them(tmp_path: Path) -> None:
    async def play() -> None:
        watching = supervisor(tmp_path, [])
        script = "trap 'echo {0} >> order; exit' TERM; touch {0}.up; while :; do sleep 0.02; done"
        for stage in reversed(Stage):
            await watching.start(program(tmp_path, script.format(stage.name), stage.name, stage=stage))
        await until(lambda: len(list(tmp_path.glob("*.up"))) == len(Stage))
        await watching.stop()

    asyncio.run(play())
    assert (tmp_path / "order").read_text().split() == ["WORK", "SANDBOX", "VALKEY", "POSTGRES"]


def test_a_stop_while_a_child_waits_for_its_next_life_leaves_none(tmp_path: Path) -> None:
    async def play() -> None:
        news: list[str] = []
        watching = Supervisor(ProcessRecord(tmp_path / "p.json"), news.append, Backoff(first=30, longest=30))
        await watching.start(program(tmp_path, "echo lived >> lives"))
        await until(lambda: bool(news))
        await asyncio.wait_for(watching.stop(), 5)

    asyncio.run(play())
    assert (tmp_path / "lives").read_text().split() == ["lived"]


def test_a_failed_step_tells_the_end_of_its_log(tmp_path: Path) -> None:
    with pytest.raises(RunnerError, match=r"migrate failed \(exit code 4\)(.|\n)*no such column"):
        asyncio.run(supervisor(tmp_path, []).run(program(tmp_path, "echo no such column; exit 4", "migrate")))
