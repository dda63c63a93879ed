"""The AsyncAPI description says what the code does, and AsyncAPI's own parser understands it."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.test import Client

from tests.asyncapi import check
from tests.docs.tables import WRITE
from tests.node import NODE, PACKAGES, SOURCES
from wedsync.api.asyncapi.document import document
from wedsync.api.asyncapi.operations import described
from wedsync.api.asyncapi.views import written
from wedsync.live.close_codes import CloseCode
from wedsync.live.event_types.catalogue import CATALOGUE
from wedsync.live.sockets.operations.table import OPERATIONS

ROOT = Path(__file__).resolve().parents[3]
FILE = ROOT / "docs" / "asyncapi.yaml"
URL = "https://hub.example.com"
LIVE_TESTS = ROOT / "tests" / "live"


def test_the_file_in_the_documentation_is_the_one_made_from_the_code() -> None:
    made = written(URL, "yaml")
    if os.environ.get(WRITE):
        FILE.write_text(made)

    assert FILE.read_text() == made, f"to write it anew: {WRITE}=1"


@pytest.mark.parametrize("operation", OPERATIONS)
def test_each_operation_is_described_with_the_fields_that_it_knows(operation: str) -> None:
    request = described()[operation].request
    fields = {name for variant in request.get("oneOf", [request]) for name in variant["properties"]}

    assert fields - {"id", "op"} == OPERATIONS[operation].fields


def test_nothing_is_described_that_there_is_not() -> None:
    made = document(URL)

    assert set(described()) == set(OPERATIONS)
    assert {int(each["code"]) for each in made["channels"]["socket"]["x-close-codes"]} == set(CloseCode)
    assert {f"event.{name}" for name in CATALOGUE} <= set(made["components"]["schemas"])


@pytest.mark.parametrize("operation", OPERATIONS)
def test_each_example_is_what_its_schema_says(operation: str) -> None:
    request, answer = described()[operation].example

    check(request, f"{operation}.request")
    check(answer, f"{operation}.answer")


@pytest.mark.parametrize(
    ("frame", "schema"),
    [
        ({"id": 1, "ok": True, "epoch": "e"}, "subscribe.answer"),
        ({"id": 1, "ok": True, "epoch": "e", "last": 1, "more": 1}, "subscribe.answer"),
        ({"id": 1, "ok": False, "error": {"code": "another", "message": "", "temporary": False}}, "refusal"),
        ({"op": "event", "channel": "a:b:c", "sequence": 1, "event": {"type": "another.type"}}, "event"),
    ],
)
def test_what_is_not_described_fails(frame: dict[str, Any], schema: str) -> None:
    with pytest.raises(AssertionError, match=re.escape(schema)):
        check(frame, schema)


def test_the_parser_of_asyncapi_finds_no_fault() -> None:
    if not PACKAGES.is_dir():
        pytest.skip("make installs the parser; without npm's registry it cannot")
    done = subprocess.run(
        [str(NODE), str(SOURCES / "parse_asyncapi.mjs"), str(PACKAGES), str(FILE)],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )

    assert json.loads(done.stdout) == {"channels": ["socket", "stream"], "found": []}


def test_the_lock_file_of_the_parser_names_no_host() -> None:
    lock = (SOURCES / "package-lock.json").read_text()

    assert "@asyncapi/parser" in lock
    assert "://" not in lock


@pytest.mark.django_db
def test_it_is_served_to_people_and_programs_and_the_page_loads_nothing_from_elsewhere(client: Client) -> None:
    page = client.get("/api/asyncapi/", headers={"Accept": "text/html,*/*"})
    as_yaml, as_json = client.get("/api/asyncapi/"), client.get("/api/asyncapi/?format=json")

    assert page.headers["Content-Type"].startswith("text/html")
    assert re.findall(r'(?:src|href)="(?:[a-z]+:)?//', page.text) == []
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    assert all(f">{code.value}<" in page.text for code in CloseCode)
    assert yaml.safe_load(as_yaml.content) == as_json.json()
    assert as_json.json()["channels"] == document(URL)["channels"]
    assert client.get("/api/asyncapi/?format=xml").status_code == 400
    assert client.post("/api/asyncapi/").status_code == 405


def test_live_tests_connect_only_by_the_client_that_checks_every_message() -> None:
    own = re.compile(r"^\s*(?:from websockets\S* import .*\bconnect\b|import websockets)", re.MULTILINE)
    files = [path for path in LIVE_TESTS.rglob("*.py") if path.name != "socket_client.py"]

    assert len(files) > 30
    assert [path.name for path in files if own.search(path.read_text())] == []
