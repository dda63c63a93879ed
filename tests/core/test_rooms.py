"""The table of rooms in docs/architecture.md says what the rooms say of themselves."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
UNLISTED = {"migrations", "management", "commands", "date_formats"}
"""Their places and names are Django's."""


def first_sentence(package: Path) -> str:
    said = ast.get_docstring(ast.parse((package / "__init__.py").read_text())) or ""
    return re.split(r"(?<=[.])\s", " ".join(said.split()))[0].replace("``", "`")


def test_the_table_has_a_row_for_each_package_with_its_own_first_sentence() -> None:
    packages = [
        init.parent
        for top in ("wedsync", "integrations", "notifications", "webhooks", "sandbox")
        for init in sorted((ROOT / top).rglob("__init__.py"))
        if not UNLISTED & set(init.parent.relative_to(ROOT).parts)
    ]
    there = {f"{package.relative_to(ROOT)}/": first_sentence(package) for package in packages}

    text = (ROOT / "docs" / "architecture.md").read_text()
    rows = re.findall(r"^\| `([a-z_/]+/)` \| (.+) \|$", text, re.MULTILINE)
    listed = {room: said for room, said in rows if room not in {"bench/", "tests/"}}

    assert len(there) > 40
    assert listed == there
    assert all(there.values()), "a room without a word"
