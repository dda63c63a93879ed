"""What a process refuses to start with, and what it makes for itself on a fresh home."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.polling import until
from tests.wedsync.runner.copies import ROOT
from wedsync import startup
from wedsync.env import ConfigurationError
from wedsync.runner.supervision import procfile

URL = "https://wedsync.example"


@pytest.mark.parametrize(
    "hosts",
    [
        ["wedsync.example"],
        ["other.example", "wedsync.example"],
        [".example"],
        [".wedsync.example"],
        ["*"],
        ["WEDSYNC.example"],
    ],
)
def test_hosts_among_which_the_public_one_is_are_right(hosts: list[str]) -> None:
    startup.check_hosts(hosts, URL)


@pytest.mark.parametrize(
    ("hosts", "url"),
    [
        (["127.0.0.1"], "http://127.0.0.1:8000"),
        (["[::1]"], "http://[::1]:8000"),
        (["localhost"], "http://localhost:8000"),
    ],
)
def test_addresses_are_hosts_too(hosts: list[str], url: str) -> None:
    startup.check_hosts(hosts, url)


@pytest.mark.parametrize(
    ("hosts", "said"),
    [
        ([], "WEDSYNC_ALLOWED_HOSTS is empty"),
        (["other.example"], "does not include 'wedsync.example'"),
        (["sub.wedsync.example"], "does not include 'wedsync.example'"),
        (["https://wedsync.example"], "'https://wedsync.example', which is not a host name"),
        (["wedsync.example:443"], "'wedsync.example:443', which is not a host name"),
        (["wedsync.example/"], "'wedsync.example/', which is not a host name"),
        (["wedsync.example", "a b"], "'a b', which is not a host name"),
        (["*.wedsync.example"], "'*.wedsync.example', which is not a host name"),
    ],
)
def test_hosts_with_which_nobody_reaches_a_page_are_refused_in_words(hosts: list[str], said: str) -> None:
    with pytest.raises(ConfigurationError, match="WEDSYNC_ALLOWED_HOSTS") as raised:
        startup.check_hosts(hosts, URL)

    assert said in str(raised.value)


@pytest.mark.parametrize(("name", "hosts"), [("web", ""), ("sweep", "other.example"), ("worker-urgent", "")])
def test_a_process_with_such_hosts_says_so_and_stops(name: str, hosts: str, tmp_path: Path) -> None:
    command = procfile.read(ROOT / "Procfile")[name].replace("python", shlex.quote(sys.executable), 1)
    environment = os.environ | {"WEDSYNC_ALLOWED_HOSTS": hosts, "WEDSYNC_HOME": str(tmp_path), "PORT": "0"}

    ended = subprocess.run(
        ["sh", "-c", command], env=environment, cwd=ROOT, capture_output=True, timeout=100, check=False
    )

    assert ended.returncode != 0
    assert b"WEDSYNC_ALLOWED_HOSTS" in ended.stdout + ended.stderr


def test_beat_makes_its_folder_on_a_fresh_home(tmp_path: Path) -> None:
    home = tmp_path / "fresh"
    command = procfile.read(ROOT / "Procfile")["beat"].replace("python", f"exec {shlex.quote(sys.executable)}", 1)
    beat = subprocess.Popen(["sh", "-c", command], env=os.environ | {"WEDSYNC_HOME": str(home)}, cwd=ROOT)
    try:
        until(lambda: list((home / "run").glob("beat-schedule*")), 60, what="beat's schedule being written")
        assert beat.poll() is None
    finally:
        beat.terminate()
        beat.wait(20)
