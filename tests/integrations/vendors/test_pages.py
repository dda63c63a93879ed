"""The published contracts: their examples run as they stand there, and they name what the code knows."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from integrations.vendors import VENDORS
from integrations.vendors.base import COMMON_ALIASES, Vendor
from tests.integrations.signatures.schemes import received

FOLDER = Path(__file__).parents[3] / "docs" / "vendors"
COMMON = (FOLDER / "README.md").read_text(encoding="utf-8")
COMMANDS = {"sh": ["sh", "-euc"], "python": [sys.executable, "-c"]}
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

every_vendor = pytest.mark.parametrize("vendor", VENDORS.values(), ids=VENDORS)
every_page = pytest.mark.parametrize("page", [*VENDORS, "README"])


def text_of(page: str) -> str:
    return (FOLDER / f"{page}.md").read_text(encoding="utf-8")


def blocks(page: str, language: str) -> list[str]:
    return [code for found, code in BLOCK.findall(text_of(page)) if found == language]


def run(language: str, code: str) -> str:
    return subprocess.run([*COMMANDS[language], code], capture_output=True, text=True, check=True).stdout


def assigned(name: str, shell: str) -> str:
    """What a shell example puts into a variable."""
    (value,) = re.findall(rf"^{name}=(.*)$", shell, re.MULTILINE)
    return shlex.split(value)[0]


@every_page
def test_every_example_prints_what_the_page_says(page: str) -> None:
    (printed,) = blocks(page, "text")

    outputs = [run(language, code) for language in COMMANDS for code in blocks(page, language)]

    assert outputs
    assert set(outputs) == {printed}


@every_vendor
def test_the_signature_of_each_page_is_one_that_its_vendor_would_be_let_in_with(vendor: Vendor) -> None:
    (shell,) = blocks(vendor.slug, "sh")
    assert len(blocks(vendor.slug, "python")) == 1
    (printed,) = blocks(vendor.slug, "text")
    headers = received(dict(line.split(": ", 1) for line in printed.splitlines()))
    body = assigned("body", shell).encode()

    assert vendor.signature.verify(headers, body, [assigned("secret", shell)], 1781856000.0) == 0


@every_vendor
def test_the_body_of_each_page_is_an_event_of_its_vendor(vendor: Vendor) -> None:
    (shell,) = blocks(vendor.slug, "sh")
    envelope = json.loads(assigned("body", shell))

    assert envelope == json.loads(blocks(vendor.slug, "json")[0])
    assert envelope["eventType"] in vendor.event_types
    assert vendor.canonical(vendor.event_types[envelope["eventType"]], envelope["payload"])["extra"] == {}


@every_page
def test_every_json_of_a_page_is_json(page: str) -> None:
    assert all(json.loads(code) for code in blocks(page, "json"))


@every_vendor
def test_a_page_has_each_event_type_alias_and_header_of_its_vendor(vendor: Vendor) -> None:
    text = text_of(vendor.slug)

    for name, ours in vendor.event_types.items():
        assert f"| `{name}` | `{ours}` |" in text
    for name, ours in vendor.aliases.items():
        assert f"| `{name}` | `{ours}` |" in text
    for name in vendor.signature.sign(b"", vendor.signature.new_secret(), 0):
        assert f"| `{name}` |" in text
    assert f"({vendor.slug}.md)" in COMMON


def test_the_common_page_has_each_common_alias() -> None:
    for name, ours in COMMON_ALIASES.items():
        assert re.search(rf"^\| .*`{name}`.* \| `{ours}` \|$", COMMON, re.MULTILINE)
