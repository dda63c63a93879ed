"""The codes that close sockets mean the same to every client: from 3000 to 3499 "reconnect", from 3500 to 3999 not."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from clients.python.wedsync_live import feed
from tests.node import NODE
from wedsync.live.close_codes import CloseCode

ROOT = Path(__file__).resolve().parents[3]
DOCS = ROOT / "docs" / "developers" / "realtime.md"
JAVASCRIPT = ROOT / "clients" / "javascript" / "wedsync-live.js"


def advice() -> dict[int, str]:
    """What the documentation tells clients to do, by code."""
    rows = re.findall(r"^\| `(\d{4})` \| .* \| (.*) \|$", DOCS.read_text(), re.MULTILINE)
    return {int(code): then for code, then in rows}


@pytest.mark.parametrize("code", CloseCode)
def test_a_code_is_final_by_its_number_and_the_documentation_says_so(code: CloseCode) -> None:
    assert 1000 <= code < 2000 or 3000 <= code <= 3999
    assert code.is_final == (code >= 3500)
    assert ("do not reconnect" in advice()[code]) == code.is_final
    assert code < 2000 or ("open a new one" in advice()[code]) != code.is_final


def test_no_code_is_documented_that_we_do_not_use() -> None:
    assert set(advice()) == set(CloseCode)


def test_the_python_client_reconnects_after_the_same_codes() -> None:
    final = {code for code in CloseCode if feed.FIRST_FINAL <= code <= feed.LAST_FINAL}

    assert final == {code for code in CloseCode if code.is_final}
    assert feed.DEPLOY == CloseCode.DEPLOY


def test_the_javascript_client_reconnects_after_the_same_codes() -> None:
    judged = re.search(r"^const FINAL = (.+);$", JAVASCRIPT.read_text(), re.MULTILINE)
    assert judged
    codes = json.dumps([int(code) for code in CloseCode])
    script = f"console.log(JSON.stringify({codes}.filter({judged[1]})))"
    done = subprocess.run([str(NODE), "-e", script], capture_output=True, text=True, check=True)

    assert json.loads(done.stdout) == [code for code in CloseCode if code.is_final]
