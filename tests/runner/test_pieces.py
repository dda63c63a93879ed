"""The runner's small parts: Procfile, ports, secrets, environment, logs, Django's checks."""

import socket
from pathlib import Path

import pytest

from wedsync.runner import checks, environment, ports, procfile
from wedsync.runner.errors import RunnerError
from wedsync.runner.home import LOG_LIMIT, Home


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
        with pytest.raises(RunnerError, match="is taken"):
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
