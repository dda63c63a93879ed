"""Every example of README, CONTRIBUTING and docs/ in shell, Python or JavaScript, as a reader would run it.

Each runs against the one copy of this folder, or is listed below with the reason why it cannot.
"""

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.copy.running import Outsider
from tests.docs.pages import ROOT, Example, examples, pages
from tests.node import NODE
from tests.polling import until
from wedsync.runner.environment import unconfigured

RUN = ("sh", "python", "js")
SHOWN = ("", "http", "jinja", "json", "text")
"""Languages of blocks that nobody runs."""

ENDLESS = "docs/developers/realtime-clients.md"
"""Its clients follow a channel until somebody ends them."""
STREAMS = "docs/developers/realtime-streams.md"
"""So does its stream."""


ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
JAVASCRIPT = ROOT / "clients" / "javascript"


class Reason(StrEnum):
    """Why an example is not run here."""

    STARTS_A_COPY = "it starts what the other examples run against"
    TAKES_MINUTES = "it checks or measures for minutes; tests/bench plays each measurement in small"
    NEEDS_A_PAGE = "it runs in a page of ours; tests/live/test_stream_browser.py opens one"
    NEEDS_DOCKER = "there is no Docker; tests/wedsync/runner/test_deployment.py reads the file"


NOT_RUN = {
    ("CONTRIBUTING.md", "make lint"): Reason.TAKES_MINUTES,
    ("CONTRIBUTING.md", "WEDSYNC_WRITE_TABLES=1 make test"): Reason.TAKES_MINUTES,
    ("README.md", "make run"): Reason.STARTS_A_COPY,
    (STREAMS, "function follow"): Reason.NEEDS_A_PAGE,
    ("docs/operators/reliability.md", "make chaos"): Reason.TAKES_MINUTES,
    ("docs/operators/reliability.md", "make bench-ingest"): Reason.TAKES_MINUTES,
    ("docs/operators/running.md", "make run"): Reason.STARTS_A_COPY,
    ("docs/operators/running.md", "docker compose"): Reason.NEEDS_DOCKER,
}

# A refused request must fail the example, and its answer must be seen.
STRICT = 'set -eu\ncurl() { command curl --fail-with-body "$@"; }\n'

# A browser resolves a path by its page; Node has none.
BROWSER = """
const outside = globalThis.fetch;
globalThis.fetch = (path, options) => outside(new URL(path, process.env.PAGE), options);
"""


def reason(example: Example) -> Reason | None:
    """Why it is not run; none where it is."""
    listed = [
        why for (page, begins), why in NOT_RUN.items() if page == example.page and example.code.startswith(begins)
    ]
    return listed[0] if listed else None


RUNNING = [example for example in examples(*RUN) if not reason(example)]
TO_THE_END = [example for example in RUNNING if example.page != ENDLESS and "curl -N" not in example.code]


def environment(outsider: Outsider) -> dict[str, str]:
    """That of a reader in the repository's root, whose virtual environment is active."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    own = {"WEDSYNC_HOME": str(outsider.copy.home), "PATH": path, "PYTHONUNBUFFERED": "1"}
    return unconfigured(os.environ) | own


def definitions(example: Example) -> str:
    """What a page tells its readers to type first, where the example stands below it."""
    first = next(each for each in RUNNING if each.page == example.page)
    return first.code if first.code.startswith("demo() {") and first != example else ""


def answer_shown(example: Example) -> Any:
    """The JSON that the page shows right below the example, or none."""
    below = (ROOT / example.page).read_text().split(example.code, 1)[1]
    found = re.match(r"```\n+```json\n(.*?)^```$", below, re.MULTILINE | re.DOTALL)
    return json.loads(found[1]) if found and example.language == "sh" else None


def form_of(value: Any) -> Any:
    """The names in a JSON value, without what they hold, and names of channels without their ids."""
    if isinstance(value, dict):
        return {ID.sub("<id>", name): form_of(each) for name, each in value.items()}
    return [form_of(value[0])] if isinstance(value, list) and value and isinstance(value[0], dict) else None


def contains(answer: Any, shown: Any) -> bool:
    """Whether an answer has all names that a page shows. A list that is empty says nothing of its elements."""
    if isinstance(shown, dict):
        return isinstance(answer, dict) and all(
            name in answer and contains(answer[name], shown[name]) for name in shown
        )
    return not (isinstance(shown, list) and answer) or contains(answer[0], shown[0])


@pytest.fixture
def calm(outsider: Outsider) -> Iterator[Outsider]:
    """Afterwards no emergency of an example is left, which would be told again and again."""
    yield outsider
    for incident in outsider.api("GET", "/api/incidents/?state=open")["results"]:
        outsider.api("POST", f"/api/incidents/{incident['id']}/resolve/")


@pytest.mark.parametrize("example", TO_THE_END, ids=str)
def test_an_example_runs_to_its_end(calm: Outsider, example: Example) -> None:
    command = {
        "sh": ["sh", "-c", STRICT + definitions(example) + example.code],
        "python": [sys.executable, "-c", example.code],
    }[example.language]

    ran = subprocess.run(
        command, cwd=ROOT, env=environment(calm), capture_output=True, text=True, timeout=60, check=False
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "/problems/" not in ran.stdout
    if (shown := answer_shown(example)) is not None:
        answer = json.loads(ran.stdout)
        assert contains(form_of(answer), form_of(shown)), f"the page shows something else than {ran.stdout}"


def printed(command: list[str], calm: Outsider, tmp_path: Path, **more: str) -> str:
    """What a client that follows the couple's channel prints, once a change of the wedding has reached it."""
    lines = tmp_path / "printed"
    with lines.open("w") as output:
        client = subprocess.Popen(
            command, cwd=ROOT, env=environment(calm) | more, stdout=output, stderr=subprocess.STDOUT, text=True
        )
    try:

        def told() -> str:
            assert client.poll() is None, lines.read_text()
            moved = calm.move_ceremony()  # one that came before the client followed is not told to it
            try:
                return until(lambda: lines.read_text() if moved in lines.read_text() else "", 2)
            except AssertionError:
                return ""

        return until(told, 30, what="the client being told")
    finally:
        client.kill()
        client.wait()


def endless(language: str) -> list[Example]:
    return [each for each in RUNNING if each.page == ENDLESS and each.language == language]


@pytest.mark.parametrize("example", endless("python"), ids=str)
def test_a_python_client_is_told_of_a_change(calm: Outsider, tmp_path: Path, example: Example) -> None:
    installed = str(ROOT / "clients" / "python")

    said = printed([sys.executable, "-c", example.code], calm, tmp_path, PYTHONPATH=installed)

    assert re.search(r"^\d+ timeline\.updated \{.*'after': '\d\d:\d\d'", said, re.MULTILINE)


def test_a_stream_is_told_of_a_change(calm: Outsider, tmp_path: Path) -> None:
    (example,) = [each for each in RUNNING if each.page == STREAMS and "curl -N" in each.code]

    code = definitions(example) + example.code.replace("curl -N", "exec curl -N")  # so that ending it ends curl
    said = printed(["sh", "-c", STRICT + code], calm, tmp_path)

    assert re.search(r'^data: \{"op":"event",.*"type":"timeline\.updated"', said, re.MULTILINE)


def test_the_browsers_client_is_told_of_a_change(calm: Outsider, tmp_path: Path) -> None:
    (example,) = endless("js")
    script = tmp_path / "script.mjs"
    script.write_text(BROWSER + example.code.replace("./wedsync-live.js", (JAVASCRIPT / "wedsync-live.js").as_uri()))

    with own_server(calm) as page:
        said = printed([str(NODE), str(script)], calm, tmp_path, PAGE=page)

    channel = calm.facts["channels"]["couple"]
    assert re.search(rf'^{channel} \d+ timeline\.updated \{{.*"after":"\d\d:\d\d"', said, re.MULTILINE)


@contextmanager
def own_server(calm: Outsider) -> Iterator[str]:
    """A client's own server, as the browser's example asks it for tickets and for what its page shows."""

    def ticket() -> dict[str, Any]:
        return {"ws_url": calm.facts["ws_url"], **calm.api("POST", "/api/channels/tickets/", {})}

    def wedding() -> dict[str, Any]:
        shown = calm.api("GET", f"/api/weddings/{calm.facts['wedding']['id']}/")
        return {"channel": calm.facts["channels"]["couple"], **shown}

    pages = {("POST", "/my-ticket"): ticket, ("GET", "/my-wedding"): wedding}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(pages[self.command, self.path]()).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_what_is_not_run_is_an_example_and_names_commands_that_exist() -> None:
    left = [example for example in examples(*RUN) if reason(example)]

    assert len(left) == len(NOT_RUN)
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for example in left:
        assert set(re.findall(r"\bmake ([a-z-]+)", example.code)) <= set(targets)
        for path in re.findall(r"(?:tests|docker)/[\w./]+", example.code):
            assert (ROOT / path).exists(), path


def test_each_block_says_in_which_language_it_is() -> None:
    for page in pages():
        languages = set(re.findall(r"^```(\w*)$", page.read_text(), re.MULTILINE))
        assert languages <= {*RUN, *SHOWN}, page
