"""A copy that is stopped, and started again on the same home."""

import hashlib
import os
import signal
import tempfile
from pathlib import Path
from typing import Any

from tests.copy.running import Outsider
from tests.wedsync.runner.copies import session_members


def lasting(facts: dict[str, Any]) -> dict[str, Any]:
    """Without the couple's link, which each start makes anew."""
    return {name: value for name, value in facts.items() if name != "couple_url"}


def test_ctrl_c_leaves_nothing_running_and_the_next_start_finds_everything(outsider: Outsider) -> None:
    copy = outsider.copy
    moved = outsider.move_ceremony()
    leaders = list(copy.recorded().values())
    digest = hashlib.sha256(os.fsencode(copy.home.resolve())).hexdigest()[:8]
    runtime = Path(tempfile.gettempdir()).resolve() / f"wedsync-{os.geteuid()}-{digest}"
    assert runtime.is_dir()

    copy.ask(signal.SIGINT)
    copy.finish()

    assert copy.process
    assert copy.process.returncode == 0
    assert session_members([copy.process.pid, *leaders]) == set()
    assert not runtime.exists()
    assert not (copy.home / "run" / "ready.json").exists()
    assert not (copy.home / "lock").exists()

    assert lasting(copy.up().facts) == lasting(outsider.facts), "ids, secrets and addresses"

    wedding = outsider.api("GET", f"/api/weddings/{outsider.facts['wedding']['id']}/")
    assert wedding["ceremony_time"] == moved
    with outsider.socket() as socket:
        answer = socket.subscribe(outsider.facts["channels"]["couple"], after=0)
        assert answer["last"] >= 1
        assert socket.frame()["sequence"] == 1
