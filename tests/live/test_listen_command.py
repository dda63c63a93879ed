"""``manage.py listen`` prints what appears on live channels."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.docs.pages import ROOT
from tests.live.python_client import couple
from tests.live.world import World
from tests.polling import until


def test_listen_prints_a_row_for_each_event(world: World, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text(world.token)
    world.capacity(160)
    command = [
        *(sys.executable, "manage.py", "listen", couple(world), "--all"),
        *("--url", world.product.base_url, "--key-file", str(key)),
    ]
    printed = tmp_path / "printed"
    environment = world.product.environment | {"COLUMNS": "250", "PYTHONUNBUFFERED": "1"}
    with printed.open("w") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.DEVNULL)
    try:
        until(lambda: '"capacity": 160' in printed.read_text(), 20, what="the first row")
        world.capacity(161)
        until(lambda: '"capacity": 161' in printed.read_text(), 10, what="the second row")
    finally:
        process.kill()
        process.wait()

    head, first, second = printed.read_text().splitlines()
    assert head.split() == ["time", "sequence", "priority", "type", "channel", "payload"]
    assert first.split()[1:5] == ["1", "high", "venue.capacity_updated", couple(world)]
    assert second.split()[1] == "2"


def test_listen_says_what_it_may_not_follow(world: World, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text(world.token)
    asked = [sys.executable, "manage.py", "listen", "nonsense", "--url", world.product.base_url, "--key-file", str(key)]

    ran = subprocess.run(
        asked, cwd=ROOT, env=world.product.environment, capture_output=True, text=True, timeout=30, check=False
    )

    assert ran.returncode == 1
    assert "nonsense" in ran.stderr
    assert "bad-channel" in ran.stderr
