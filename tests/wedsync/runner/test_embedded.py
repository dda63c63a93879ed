"""The embedded servers by themselves."""

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from wedsync.runner import runtime
from wedsync.runner.embedded import EmbeddedPostgres, EmbeddedValkey
from wedsync.runner.embedded import postgres as pg
from wedsync.runner.errors import RunnerError
from wedsync.runner.home import Home
from wedsync.runner.supervision.processes import wait_until


@pytest.fixture(scope="module")
def data_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """One home for all tests that need PostgreSQL's data, since making them takes the most time."""
    made = Home(tmp_path_factory.mktemp("data") / "a home")
    made.create()
    yield made
    runtime.remove(made.runtime())


@pytest.fixture
def postgres(data_home: Home) -> Iterator[EmbeddedPostgres]:
    """Not started; its tables are gone."""
    server = EmbeddedPostgres(data_home, durable=False)
    yield server
    server.start()
    ask(server.url, "DROP TABLE IF EXISTS guests")
    server.stop()


@pytest.fixture
def valkey(home: Home) -> Iterator[EmbeddedValkey]:
    server = EmbeddedValkey(home)
    yield server
    server.stop()


def ask(url: str, statement: str) -> str:
    connection = psycopg2.connect(url)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(statement)
            row = cursor.fetchone() if cursor.description else None
            return str(row[0]) if row else ""
    finally:
        connection.close()


def command(server: EmbeddedValkey, line: str) -> str:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(server.socket))
        client.sendall(f"{line}\r\n".encode())
        return client.recv(200).decode()


def test_postgres_keeps_its_data_and_its_password_over_a_restart(postgres: EmbeddedPostgres) -> None:
    postgres.start()
    url = postgres.url
    ask(url, "CREATE TABLE guests (name text)")
    ask(url, "INSERT INTO guests VALUES ('Zoë')")
    postgres.stop()
    postgres.start()
    assert postgres.url == url
    assert ask(url, "SELECT upper(name) FROM guests") == "ZOË", "the locale knows more than ASCII"
    assert ask(url, "SHOW listen_addresses") == ""
    assert ask(url, "SHOW max_connections") == "300"
    assert ask(url, "SHOW timezone") == "UTC"
    assert int(ask(url, "SHOW server_version_num")) >= 180000


def test_postgres_survives_a_kill_and_a_pid_that_was_given_to_somebody_else(postgres: EmbeddedPostgres) -> None:
    postgres.start()
    ask(postgres.url, "CREATE TABLE guests (name text)")
    assert postgres.process
    postgres.process.kill()
    postgres.process.wait()
    lock = postgres.data / "postmaster.pid"
    lines = lock.read_text().splitlines()
    account = postgres.data.stat()
    uid = account.st_uid if os.geteuid() == 0 else None
    stranger = subprocess.Popen(["sleep", "600"], cwd="/", user=uid)
    lock.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")
    try:
        postgres.start()
        assert ask(postgres.url, "SELECT count(*) FROM guests") == "0"
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_server_that_works_on_these_data_and_that_nobody_recorded_is_ended(postgres: EmbeddedPostgres) -> None:
    postgres.start()
    lost = postgres.process
    assert lost
    postgres.process = None
    postgres.start()
    assert lost.wait(timeout=10) == 0
    assert ask(postgres.url, "SELECT 1") == "1"


def test_data_of_another_major_version_are_named_and_left_alone(home: Home) -> None:
    server = EmbeddedPostgres(home, durable=False)
    server.data.mkdir(parents=True)
    (server.data / "PG_VERSION").write_text("16\n")
    with pytest.raises(RunnerError, match="made by PostgreSQL 16; this WedSync brings 18"):
        server.start()
    assert [path.name for path in server.data.iterdir()] == ["PG_VERSION"]


def test_a_half_made_database_is_made_again(home: Home) -> None:
    server = EmbeddedPostgres(home, durable=False)
    half = server.data.with_name("data.new")
    half.mkdir(parents=True)
    (half / "postgresql.conf").touch()
    server.prepare()
    assert (server.data / "PG_VERSION").exists()
    assert not half.exists()


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="only root's PostgreSQL changes its user")
def test_roots_postgres_works_below_folders_that_are_closed_to_others(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The wheel's programs and libraries are copied below a folder as closed as /root."""
    closed = tmp_path / "a closed checkout"
    wheel = pg.binaries().parents[1]
    (closed / wheel.name).mkdir(parents=True)
    closed.chmod(0o700)
    subprocess.run(["cp", "-a", str(pg.binaries().parent), str(closed / wheel.name)], check=True)
    subprocess.run(["cp", "-a", *map(str, wheel.parent.glob(f"{wheel.name}.libs")), str(closed)], check=True)
    monkeypatch.setattr(pg, "binaries", lambda: closed / wheel.name / f"pginstall{pg.MAJOR}" / "bin")
    home.path.chmod(0o700)
    server = EmbeddedPostgres(home, durable=False)
    try:
        server.start()
        assert ask(server.url, "SELECT 1") == "1"
        assert server.process
        assert Path(f"/proc/{server.process.pid}").stat().st_uid != 0
    finally:
        server.stop()


def test_a_lost_password_is_said_to_be_lost(postgres: EmbeddedPostgres) -> None:
    postgres.prepare()
    kept = postgres.password
    (postgres.home.keys / "postgres-password").write_text("another")
    with pytest.raises(RunnerError, match="refuses the password"):
        postgres.start()
    (postgres.home.keys / "postgres-password").write_text(kept)
    postgres.stop()


def test_a_temporary_folder_that_somebody_else_made_is_refused(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    stranger = os.geteuid() + 1
    planted = home.runtime()
    taken = planted.with_name(planted.name.replace(f"-{os.geteuid()}-", f"-{stranger}-"))
    planted.rename(taken)
    monkeypatch.setattr(os, "geteuid", lambda: stranger)
    try:
        with pytest.raises(RunnerError, match="belongs to somebody else"):
            home.runtime()
    finally:
        taken.rmdir()
        monkeypatch.undo()


def test_valkey_keeps_what_it_knows_over_a_restart_and_a_kill(valkey: EmbeddedValkey) -> None:
    valkey.start()
    assert command(valkey, "SET bride Anna").startswith("+OK")
    valkey.stop()
    valkey.start()
    assert "Anna" in command(valkey, "GET bride")
    assert valkey.process
    valkey.process.send_signal(signal.SIGKILL)
    valkey.process.wait()
    valkey.start()
    assert "Anna" in command(valkey, "GET bride")
    assert "noeviction" in command(valkey, "CONFIG GET maxmemory-policy")


def test_stopping_leaves_no_process_and_no_socket(postgres: EmbeddedPostgres, valkey: EmbeddedValkey) -> None:
    for server in (postgres, valkey):
        server.start()
    pids = [server.process.pid for server in (postgres, valkey) if server.process]
    for server in (postgres, valkey):
        server.stop()
    assert wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), 1)
    assert not list(postgres.sockets.iterdir())
    assert not valkey.socket.exists()
