"""The runner's small parts: Procfile, ports, secrets, environment, logs, Django's checks."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from wedsync.runner import checks, environment, ports
from wedsync.runner.errors import RunnerError
from wedsync.runner.home import LOG_LIMIT, Home
from wedsync.runner.output import log_files
from wedsync.runner.supervision import procfile

ROOT = Path(__file__).resolve().parents[3]


def test_a_procfile_is_read_in_its_order(tmp_path: Path) -> None:
    path = tmp_path / "Procfile"
    path.write_text('# what runs\nweb: serve --port ${PORT:-8000}\n\nworker-low: work "a b"\n')
    assert list(procfile.read(path).items()) == [("web", "serve --port ${PORT:-8000}"), ("worker-low", 'work "a b"')]


@pytest.mark.parametrize("text", ["web\n", "web: a\nweb: b\n", "We b: a\n"])
def test_a_procfile_that_is_not_understood_is_refused_with_its_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "Procfile").write_text(text)
    with pytest.raises(RunnerError, match=r"line [12]: expected `name: command`"):
        procfile.read(tmp_path / "Procfile")


@pytest.mark.parametrize("text", ["0", "65536", "-1", "eight", "٨٠", " 80"])
def test_what_is_no_port_is_refused(text: str) -> None:
    with pytest.raises(RunnerError, match="is not a port"):
        ports.parse("PORT", text)


def test_the_sandbox_keeps_its_port_until_somebody_else_has_it(tmp_path: Path) -> None:
    remembered = tmp_path / "sandbox-port"
    first = ports.sandbox_port(tmp_path, remembered, {}, taken=8000)
    assert ports.sandbox_port(tmp_path, remembered, {}, taken=8000) == first
    assert ports.sandbox_port(tmp_path, remembered, {}, taken=first) != first
    with socket.create_server(("127.0.0.1", 0)) as other:
        remembered.write_text(str(other.getsockname()[1]))
        assert ports.sandbox_port(tmp_path, remembered, {}, taken=8000) == first
        assert ports.sandbox_port(tmp_path, remembered, {"WEDSYNC_SANDBOX_PORT": "0"}, 8000) == first
        with pytest.raises(RunnerError, match="is in use"):
            ports.sandbox_port(tmp_path, remembered, {"WEDSYNC_SANDBOX_PORT": str(other.getsockname()[1])}, 8000)


def test_secrets_are_made_once_and_are_private(home: Home) -> None:
    made = home.secret("a-key", lambda: "first")
    assert (made, home.secret("a-key", lambda: "second")) == ("first", "first")
    assert (home.keys / "a-key").stat().st_mode & 0o777 == 0o600
    (home.keys / "a-key").write_text("")
    assert home.secret("a-key", lambda: "after a crash") == "after a crash"


def test_one_home_is_held_by_one_runner(home: Home) -> None:
    home.lock()
    with pytest.raises(RunnerError, match="already runs on the home"):
        Home(home.path).lock()
    home.unlock()
    assert not (home.path / "lock").exists()
    again = Home(home.path)
    again.lock()
    again.unlock()


def test_a_log_that_grew_too_large_is_set_aside(home: Home) -> None:
    with home.log("web").open("wb") as log:
        log.truncate(LOG_LIMIT + 1)
    assert not home.log("web").exists()
    assert (home.logs / "web.log.1").stat().st_size == LOG_LIMIT + 1


def test_children_get_the_copys_own_addresses_and_the_operators_keys(home: Home) -> None:
    outer = {"PATH": "/bin", "WEDSYNC_DEBUG": "1", "PGPORT": "9", "WEDSYNC_SECRET_KEYS": "mine", "LANG": "C"}
    made = environment.for_children(outer, home, 8123, 20001, database_url="d", redis_url="r")
    assert made["WEDSYNC_SECRET_KEYS"] == "mine"
    assert len(made["WEDSYNC_DJANGO_SECRET_KEY"]) >= 50
    assert made["WEDSYNC_PUBLIC_URL"] == "http://127.0.0.1:8123"
    assert made["WEDSYNC_OUTBOUND_ALLOW"] == "127.0.0.1/32:20001"
    assert made["LANG"] == "C"
    assert not {"WEDSYNC_DEBUG", "PGPORT"} & set(made)


def test_a_copy_of_ones_own_starts_from_nothing_that_configures_another() -> None:
    outer = {
        "DATABASE_URL": "d",
        "PORT": "9",
        "WEDSYNC_TEST_POSTGRES": "p",
        "DJANGO_SETTINGS_MODULE": "s",
        "PGHOST": "h",
    }
    assert environment.unconfigured({**outer, "PATH": "/bin", "LANG": "C"}) == {"PATH": "/bin", "LANG": "C"}


def test_djangos_checks_run_with_keys_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEDSYNC_DEBUG", "1")
    made = checks.environment()
    assert "WEDSYNC_DEBUG" not in made
    assert made["WEDSYNC_SECRET_KEYS"] != checks.environment()["WEDSYNC_SECRET_KEYS"]


def test_a_log_of_somebody_elses_program_is_set_aside_while_it_writes(tmp_path: Path) -> None:
    path = tmp_path / "postgres.log"
    with path.open("ab", buffering=0) as writer:
        writer.write(b"x" * 100)
        assert not log_files.set_aside(path, 100)
        writer.write(b"y\n")
        assert log_files.set_aside(path, 100)
        writer.write(b"after\n")

    assert path.read_bytes() == b"after\n"
    assert path.with_suffix(".log.1").stat().st_size == 102


def test_the_runners_own_log_is_json_and_stays_small(tmp_path: Path) -> None:
    path = tmp_path / "runner.log"
    notes = log_files.Notes(path, 2_000)
    for number in range(100):
        notes.add(f"“web” died, time {number}")
    notes.close()

    assert path.stat().st_size <= 2_000
    assert path.with_suffix(".log.1").exists()
    assert json.loads(path.read_text().splitlines()[-1])["event"] == "“web” died, time 99"


_CHATTER = """
import sys, threading, warnings, structlog
from wedsync import logs
logs.configure("INFO", file=sys.argv[1], most_bytes=5_000)
for number in range(200):
    structlog.get_logger("test").info("said", number=number)
warnings.warn("an old way")
def fail(): raise ValueError("in a thread")
thread = threading.Thread(target=fail); thread.start(); thread.join()
raise RuntimeError("in the end")
"""


def test_a_process_of_ours_sets_its_log_aside_itself_and_writes_nothing_but_json(tmp_path: Path) -> None:
    path = tmp_path / "web.log"

    done = subprocess.run(
        [sys.executable, "-c", _CHATTER, str(path)], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (1, "")
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert path.stat().st_size <= 5_000
    assert json.loads(path.with_name("web.log.1").read_text().splitlines()[0])["event"] == "said"
    assert "in a thread" in lines[-2]["exception"]
    assert "in the end" in lines[-1]["exception"]
    assert any("an old way" in str(line["event"]) for line in lines)


_SERVER = """
import logging, uvicorn
uvicorn.Config("wedsync.asgi:application", log_level="warning", access_log=False)
from wedsync import logs
logs.configure("INFO")
logging.getLogger("uvicorn.error").warning("Invalid HTTP request received.")
logging.getLogger("uvicorn.error").info("a client came")
"""


def test_what_the_server_itself_says_is_json_too() -> None:
    done = subprocess.run([sys.executable, "-c", _SERVER], cwd=ROOT, capture_output=True, text=True, check=True)

    (line,) = done.stderr.splitlines()
    assert json.loads(line)["event"] == "Invalid HTTP request received."


def test_no_worker_writes_a_banner_into_its_log() -> None:
    commands = procfile.read(ROOT / "Procfile").values()

    assert [each for each in commands if "celery" in each and "celery --quiet" not in each] == []


def test_each_process_writes_a_file_of_its_own_and_what_the_caller_allows_is_called_too(home: Home) -> None:
    outer = {"WEDSYNC_OUTBOUND_ALLOW": "10.0.0.0/8:9000, 127.0.0.1/32:8100"}

    made = environment.for_children(outer, home, 8000, 8100, "postgresql:///x", "redis://x")

    assert made["WEDSYNC_OUTBOUND_ALLOW"] == "127.0.0.1/32:8100,10.0.0.0/8:9000"
    assert "WEDSYNC_LOG_FILE" not in made, "a person's command writes to the terminal"
