"""One copy for all tests of this folder; each test gets an outsider with a clear view."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.copy.running import Outsider, RunningCopy
from tests.ports import free_port


@pytest.fixture(scope="package")
def running() -> Iterator[RunningCopy]:
    """Up until the last test; its home's path holds a space."""
    folder = Path(tempfile.mkdtemp(prefix="wedsync-copy-"))
    copy = RunningCopy(home=folder / "a home", port=free_port())
    try:
        yield copy.up()
    finally:
        if copy.process and copy.process.poll() is None:
            copy.ask()
            copy.finish()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def outsider(running: RunningCopy) -> Iterator[Outsider]:
    """Nothing is broken when it comes, and nothing stays broken when it goes."""
    made = Outsider(running)
    made.settle()
    yield made
    made.sandbox("DELETE", "faults")
    made.session.close()
