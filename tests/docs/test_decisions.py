"""The index of decisions lists each of them once, by its title, and names the numbers that were never used."""

import re
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "docs" / "adr"
INDEX = (FOLDER / "README.md").read_text()
DECISIONS = sorted(path for path in FOLDER.glob("*.md") if path.name != "README.md")


def test_each_decision_has_one_row_with_its_title_in_the_order_of_numbers() -> None:
    rows = re.findall(r"^\| \[(\d{4})\]\(([\w.-]+)\) \| (.+) \|$", INDEX, re.MULTILINE)
    titles = [re.fullmatch(r"# (\d{4})\. (.+)", path.read_text().partition("\n")[0]) for path in DECISIONS]

    assert len(DECISIONS) > 70
    assert rows == [
        (path.name[:4], path.name, title[2] if title else "") for path, title in zip(DECISIONS, titles, strict=True)
    ]


def test_each_number_belongs_to_one_decision_or_is_named_as_unused() -> None:
    taken = [int(path.name[:4]) for path in DECISIONS]
    said = re.search(r"^The numbers (.+) were reserved and never written\.", INDEX, re.MULTILINE)
    assert said

    unused = [int(number) for number in re.findall(r"\d{4}", said[1])]

    assert sorted([*taken, *unused]) == list(range(1, max(taken) + 1))


def test_each_decision_has_its_four_parts() -> None:
    for path in DECISIONS:
        parts = re.findall(r"^(?:\*\*(Status):\*\*|## (\w+))", path.read_text(), re.MULTILINE)
        assert [status or part for status, part in parts] == ["Status", "Context", "Decision", "Consequences"], (
            path.name
        )


def test_the_code_refers_to_decisions_that_there_are() -> None:
    root = FOLDER.parents[1]
    taken = {path.name[:4] for path in DECISIONS}
    for top in ("wedsync", "integrations", "notifications", "webhooks", "sandbox", "bench"):
        for path in (root / top).rglob("*.py"):
            named = set(re.findall(r"docs/adr/(\d{4})", path.read_text()))
            assert named <= taken, path
