"""Tables of the documentation that follow the code, so that neither can change without the other.

A table lies between ``<!-- table: NAME -->`` and ``<!-- end -->``. A test says which rows the code has; a cell that the
code knows nothing about is ``WORDS``: people write it, and it stays with its row. Where page and code differ, write the
page anew and then say what each new row means::

    WEDSYNC_WRITE_TABLES=1 make test ARGS="tests/docs -n 0"
"""

import os
import re
from collections.abc import Iterable
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"
WRITE = "WEDSYNC_WRITE_TABLES"
WORDS = None
"""A cell that people write."""

Row = tuple[str | None, ...]
_CELL = re.compile(r"(?<!\\)\|")


def compare(page: str, name: str, header: tuple[str, ...], rows: Iterable[Row]) -> None:
    """Assert that a page's table has these rows, in this order, and words wherever people write them."""
    path = DOCS / page
    text = path.read_text()
    before, begin, rest = text.partition(f"<!-- table: {name} -->\n")
    found, end, behind = rest.partition("<!-- end -->\n")
    assert begin, f"{page} has no table {name}"
    assert end, f"the table {name} of {page} does not end"

    made = _lines(header, rows, _words(found))
    if os.environ.get(WRITE):
        path.write_text(f"{before}{begin}\n{made}\n{end}{behind}")
        found = f"\n{made}\n"

    assert found.strip() == made.strip(), f"{page} says something else than the code. To write it anew: {WRITE}=1"
    assert "|  |" not in made, f"a row of the table {name} in {page} has no words yet"


def cells(line: str) -> list[str]:
    """What a line of a table holds."""
    return [cell.strip() for cell in _CELL.split(line.strip())[1:-1]]


def _words(table: str) -> dict[str, list[str]]:
    """Each row of a table by its first cell."""
    lines = [cells(line) for line in table.splitlines() if line.startswith("|")]
    return {line[0]: line for line in lines if line}


def _lines(header: tuple[str, ...], rows: Iterable[Row], known: dict[str, list[str]]) -> str:
    made = [_line(header), f"|{'---|' * len(header)}"]
    for row in rows:
        kept = known.get(row[0] or "", [])
        made.append(
            _line(cell if cell is not WORDS else "".join(kept[place : place + 1]) for place, cell in enumerate(row))
        )
    return "\n".join(made) + "\n"


def _line(of: Iterable[str]) -> str:
    return f"| {' | '.join(of)} |"
