"""Fixtures of the runner's tests."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ports import free_port
from tests.wedsync.runner.copies import MakeRunner, Runner
from wedsync.runner import runtime
from wedsync.runner.home import Home


@pytest.fixture
def make_runner(tmp_path: Path) -> Iterator[MakeRunner]:
    """Makes runners; whatever a test leaves running is ended afterwards, by its own record."""
    made: list[Runner] = []

    def make(name: str = "a home", **options: object) -> Runner:
        options.setdefault("port", free_port())
        runner = Runner(home=tmp_path / name, **options)  # type: ignore[arg-type]
        made.append(runner)
        return runner

    yield make
    for runner in made:
        if runner.process and runner.process.poll() is None:
            runner.ask()
            runner.finish()


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """A home whose path holds a space."""
    made = Home(tmp_path / "the home")
    made.create()
    yield made
    runtime.remove(made.runtime())
    shutil.rmtree(made.path, ignore_errors=True)
