"""The runner as people meet it: started, stopped, killed, started twice."""

import hashlib
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

import pytest

from tests.ports import free_port
from tests.wedsync.runner.copies import ROOT, MakeRunner, session_members
from wedsync.runner.environment import unconfigured
from wedsync.runner.supervision.processes import start_time, wait_until

SERVERS_ELSEWHERE = {"DATABASE_URL": "postgresql://me@db.example/wedsync", "REDIS_URL": "redis://cache.example/0"}
SECRETS = ("WEDSYNC_SECRET_KEYS", "WEDSYNC_DJANGO_SECRET_KEY", "WEDSYNC_VAPID_PRIVATE_KEY", "postgres-password")


def runtime_of(home: Path) -> Path:
    """Where the home's sockets are; asking makes no folder."""
    name = f"wedsync-{os.geteuid()}-{hashlib.sha256(os.fsencode(home.resolve())).hexdigest()[:8]}"
    return Path(tempfile.gettempdir()) / name


def test_it_announces_itself_once_stops_whole_and_finds_its_data_again(make_runner: MakeRunner) -> None:
    runner = make_runner().up()
    children = list(runner.recorded().values())
    kept = {path.name: path.read_text() for path in [*runner.home.glob("keys/*"), runner.home / "sandbox-port"]}
    assert len(session_members(children)) > len(children), "the toy worker has a child of its own"
    assert urllib.request.urlopen(f"http://127.0.0.1:{runner.port}/", timeout=5).status == 200

    runner.ask(signal.SIGINT)
    printed = runner.finish()

    assert runner.process
    assert runner.process.returncode == 0
    assert printed.count("WedSync is running") == 1
    assert "correct horse" in printed
    assert session_members(children) == set()
    assert not (runner.home / "run" / "ready.json").exists()
    assert not runtime_of(runner.home).exists()

    runner.up()

    assert set(kept) == {*SECRETS, "sandbox-port"}
    assert {path.stat().st_mode & 0o777 for path in runner.home.glob("keys/*")} == {0o600}
    assert kept == {path.name: path.read_text() for path in [*runner.home.glob("keys/*"), runner.home / "sandbox-port"]}


def test_a_second_copy_is_refused_and_whatever_is_killed_comes_back(make_runner: MakeRunner) -> None:
    runner = make_runner().up()
    second = make_runner().start()
    assert "already runs on the home" in second.finish()
    assert runner.process
    assert f"(process {runner.process.pid})" in second.output
    assert second.process
    assert second.process.returncode == 1

    before = runner.recorded()
    for name in ("worker-urgent", "valkey", "postgres"):
        os.kill(before[name], signal.SIGKILL)

    def all_new() -> bool:
        now = runner.recorded()
        return all(now.get(name, before[name]) != before[name] for name in ("worker-urgent", "valkey", "postgres"))

    assert wait_until(all_new, 15)
    assert wait_until((runner.home / "run" / "ready" / "worker-urgent").exists, 5)
    assert wait_until(lambda: "ready to accept" in (runner.home / "logs" / "postgres.log").read_text()[-300:], 10)
    runner.ask()
    assert "worker-urgent died (killed by SIGKILL); starting it again in 0.5 s" in runner.finish()


def test_the_start_after_a_kill_ends_its_own_orphans_and_nothing_else(make_runner: MakeRunner) -> None:
    runner = make_runner().up()
    other = make_runner("another home", extra=SERVERS_ELSEWHERE).up()
    bystander = subprocess.Popen(["sleep", "600"], start_new_session=True)
    orphans = list(runner.recorded().values())
    runner.ask(signal.SIGKILL)
    runner.finish()
    assert set(orphans) <= session_members(orphans), "a kill of the runner leaves its children alive"

    again = make_runner(port=runner.port).up()

    assert session_members(orphans) == set()
    assert bystander.poll() is None
    assert all(start_time(pid) for pid in other.recorded().values())
    assert other.process
    assert other.process.poll() is None
    bystander.kill()
    bystander.wait()
    again.ask()
    assert "Ended processes left by an earlier start of this home: " in again.finish()


def test_a_taken_port_is_reported_before_anything_starts(make_runner: MakeRunner) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        runner = make_runner(port=taken.getsockname()[1]).start()
        printed = runner.finish()
    assert f"Port {runner.port} on 127.0.0.1 is in use" in printed
    assert runner.process
    assert runner.process.returncode == 1
    assert not (runner.home / "postgres").exists()


@pytest.mark.parametrize(("connections", "said"), [("61", "at most 60 fit here"), ("many", "cannot be read")])
def test_workers_that_postgres_cannot_serve_are_refused_before_it_starts(
    connections: str, said: str, tmp_path: Path
) -> None:
    own = {"WEDSYNC_HOME": str(tmp_path), "PORT": str(free_port()), "WEDSYNC_DATABASE_CONNECTIONS": connections}
    asked = [sys.executable, "-m", "wedsync.runner"]
    refused = subprocess.run(
        asked, cwd=ROOT, env=unconfigured(os.environ) | own, capture_output=True, text=True, timeout=30, check=False
    )
    assert refused.returncode == 1
    assert "WEDSYNC_DATABASE_CONNECTIONS" in refused.stderr
    assert said in refused.stderr
    assert not (tmp_path / "postgres").exists()


def test_servers_of_the_operators_own_are_used_and_none_is_started(make_runner: MakeRunner) -> None:
    runner = make_runner(extra=SERVERS_ELSEWHERE).up()
    names = set(runner.recorded())
    worker = Path(f"/proc/{runner.recorded()['worker-urgent']}/environ").read_bytes()
    runner.ask()
    runner.finish()
    assert names == {"web", "worker-urgent", "beat", "sandbox"}
    assert all(f"{name}={value}".encode() in worker.split(b"\0") for name, value in SERVERS_ELSEWHERE.items())


def test_a_program_that_dies_at_every_start_is_named_with_its_last_words(make_runner: MakeRunner) -> None:
    runner = make_runner(extra={**SERVERS_ELSEWHERE, "TOY_WORKER_DIES": "out of coffee"}).start()
    printed = runner.finish()
    assert runner.process
    assert runner.process.returncode == 1
    assert "worker-urgent dies at every start (3 times)" in printed
    assert "out of coffee" in printed
    assert json.loads((runner.home / "run" / "processes.json").read_text()) == []


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="only root can become somebody else")
def test_it_runs_the_same_as_an_ordinary_user(make_runner: MakeRunner, tmp_path: Path) -> None:
    """The user may read the checkout and the interpreter, wherever they lie, and gets no other right."""
    nobody = pwd.getpwnam("nobody")
    os.chown(tmp_path, nobody.pw_uid, nobody.pw_gid)
    words = ("setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups")
    reading = ("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search", "--securebits=+no_setuid_fixup")
    runner = make_runner("nobody's home", prefix=(*words, *reading)).up()
    owners = {Path(f"/proc/{pid}").stat().st_uid for pid in runner.recorded().values()}
    children = list(runner.recorded().values())
    runner.ask()
    runner.finish()
    assert owners == {nobody.pw_uid}
    assert session_members(children) == set()


def test_a_reader_that_goes_away_stops_nothing(make_runner: MakeRunner) -> None:
    runner = make_runner()
    process = runner.start().process
    assert process
    assert process.stdout
    process.stdout.close()  # as `| head` does

    wait_until(lambda: runner.is_up(process.pid) or process.poll() is not None, 30)

    assert process.poll() is None
    children = list(runner.recorded().values())
    assert children
    runner.ask()
    assert process.wait(30) == 0
    assert session_members([process.pid, *children]) == set()
