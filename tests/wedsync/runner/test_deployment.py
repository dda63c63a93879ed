"""What a person meets outside Python: Procfile, compose file, Dockerfile, Makefile."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.wedsync.runner.copies import ROOT
from wedsync.runner.supervision import procfile
from wedsync.web.server import OPTIONS

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker" / "compose.yaml").read_text())
OF_SERVERS = {"postgres", "valkey", "migrate"}


def test_compose_runs_the_procfiles_commands() -> None:
    commands = procfile.read(ROOT / "Procfile")
    services = {name: service for name, service in COMPOSE["services"].items() if name not in OF_SERVERS}
    assert list(services) == list(commands)
    for name, command in commands.items():
        shell, flag, line = services[name]["command"]
        assert (shell, flag, line.replace("$$", "$")) == ("sh", "-c", f"exec {command}")
        assert services[name]["environment"]["WEDSYNC_PROCESS"] == name


def test_web_keeps_idle_connections_longer_than_balancers_do() -> None:
    """Balancers keep theirs for 60 s; whoever closes first must be the side that sends requests."""
    assert OPTIONS["timeout_keep_alive"] > 60
    assert "keepalive_timeout" in (ROOT / "docs" / "operators" / "proxy.md").read_text()


def test_compose_names_only_variables_that_the_product_reads() -> None:
    env = pytest.importorskip("wedsync.env")
    for name, service in COMPOSE["services"].items():
        if name not in {"postgres", "valkey"}:
            assert set(service["environment"]) <= set(env.VARIABLES), name


def test_compose_passes_every_variable_that_an_operator_may_set() -> None:
    env = pytest.importorskip("wedsync.env")
    of_the_demo = {"WEDSYNC_SANDBOX_URL", "WEDSYNC_SANDBOX_PORT"}
    for name, service in COMPOSE["services"].items():
        if name not in {"postgres", "valkey"}:
            assert set(service["environment"]) == set(env.VARIABLES) - of_the_demo, name


def test_compose_names_no_variable_twice() -> None:
    """Docker refuses a file that does; the reader of these tests would take the last one."""
    text = (ROOT / "docker" / "compose.yaml").read_text()
    common = text.partition("x-environment:")[2].partition("x-ready:")[0]
    names = re.findall(r"^  ([A-Z_]+):", common, re.MULTILINE)

    assert len(names) == len(set(names))


def test_compose_requires_every_secret() -> None:
    text = (ROOT / "docker" / "compose.yaml").read_text()
    for name in ("POSTGRES_PASSWORD", "VALKEY_PASSWORD", "WEDSYNC_SECRET_KEYS", "WEDSYNC_DJANGO_SECRET_KEY"):
        uses = re.findall(rf"(?<!\$)\$\{{{name}([^}}]*)\}}", text)
        assert uses, name
        assert all(use.startswith(":?") for use in uses), name


def test_the_image_holds_what_the_commands_need_and_runs_as_nobody_special() -> None:
    lines = (ROOT / "docker" / "Dockerfile").read_text().splitlines()
    copied = {word for line in lines if line.startswith("COPY") for word in line.split()[1:-1]}
    let_in = {line[1:] for line in (ROOT / "docker/Dockerfile.dockerignore").read_text().split() if line[0] == "!"}
    assert copied == let_in
    assert all((ROOT / name).exists() for name in copied)
    assert [line for line in lines if line.startswith("USER")] == ["USER wedsync"]


def test_make_lists_its_commands_and_names_a_python_that_is_too_old(tmp_path: Path) -> None:
    folder = tmp_path / "a checkout"
    folder.mkdir()
    shutil.copy(ROOT / "Makefile", folder)
    (folder / "requirements.txt").touch()
    old = folder / "old-python"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    listed = subprocess.run(
        ["make", "--no-print-directory", "help"], cwd=folder, capture_output=True, text=True, check=True
    ).stdout
    targets = [
        "help", "run", "demo", "test", "bench-ingest", "bench-deliver", "bench-isolation",
        "bench-emergency", "bench-routing", "bench-live", "bench-pressure",
        "fuzz", "reconcile", "reconcile-live", "chaos", "lint", "docs", "format", "requirements", "clean",
    ]  # fmt: skip
    assert [line.split()[1] for line in listed.splitlines()] == targets
    refused = subprocess.run(
        ["make", "run", "PYTHON=./old-python"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert refused.returncode != 0
    assert "WedSync needs Python 3.11 or newer" in refused.stderr
    assert not (folder / ".venv").exists()
