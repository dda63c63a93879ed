"""``make demo``: on a copy of its own, with a partner that fails for a moment."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.polling import until
from tests.wedsync.runner.copies import ROOT, session_members
from wedsync.runner.environment import unconfigured


def test_the_demo_plays_four_stories_and_overcomes_a_fault(tmp_path: Path) -> None:
    played = subprocess.run(
        [sys.executable, "-m", "wedsync.demo", "--json", "--fault", "whatsapp:status:503:count=2"],
        cwd=ROOT,
        env={**unconfigured(os.environ), "TMPDIR": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )

    said = json.loads(played.stdout)
    assert played.returncode == 0, played.stderr
    assert said["ok"]
    assert {row["story"][0] for row in said["rows"]} == {"1", "2", "3", "4"}
    assert all(row["ok"] for row in said["rows"])
    retried = [row for row in said["rows"] if row["attempts"] > 1]
    assert [row["channel"] for row in retried] == ["whatsapp", "whatsapp"]
    assert all(row["milliseconds"] > 700 for row in retried), "a second's pause, give or take a fifth"
    assert list(tmp_path.iterdir()) == [], "its home is gone"


def test_an_interrupted_demo_leaves_nothing_behind(tmp_path: Path) -> None:
    demo = subprocess.Popen(
        [sys.executable, "-m", "wedsync.demo", "--json"],
        cwd=ROOT,
        env={**unconfigured(os.environ), "TMPDIR": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    found = until(lambda: list(tmp_path.glob("wedsync-demo-*/home/run/processes.json")), 30, what="the copy")
    leaders = [entry["pid"] for entry in json.loads(found[0].read_text())]

    demo.send_signal(signal.SIGINT)
    said = json.loads(demo.communicate(timeout=60)[0])

    assert demo.returncode == 130
    assert (said["rows"], said["ok"]) == ([], False)
    assert session_members(leaders) == set()
    assert list(tmp_path.iterdir()) == []


def test_a_fault_that_cannot_be_read_is_refused_before_anything_starts() -> None:
    asked = [sys.executable, "-m", "wedsync.demo", "--fault", "whatsapp:status:many=2"]
    refused = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    assert refused.returncode == 2
    assert "not one of status, seconds" in refused.stderr
