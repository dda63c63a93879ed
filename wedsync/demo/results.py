"""The demo's results: a row for each expected arrival, as a table for people and as JSON for programs."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

SHARES = {"whatsapp": 1000, "slack": 800, "email": 1200}
"""Each channel's own share in milliseconds, on an idle machine."""


@dataclass(frozen=True)
class Row:
    """One expected arrival.

    ``milliseconds``: from the webhook or the call to the arrival; ``None``: nothing arrived. ``ok``: it arrived in time
    and says what it must; or it is rightly held for somebody's quiet hours. ``problem`` says what is wrong.
    """

    story: str
    step: str
    target: str
    channel: str
    priority: str
    status: str
    attempts: int
    milliseconds: int | None
    ok: bool
    problem: str = ""


def as_json(rows: Sequence[Row], error: str = "") -> str:
    """One object: the rows, and whether everything went well."""
    content = {"rows": [asdict(row) for row in rows], "ok": succeeded(rows) and not error}
    return json.dumps(content | ({"error": error} if error else {}), ensure_ascii=False, indent=1)


def succeeded(rows: Sequence[Row]) -> bool:
    """Whether there are rows, and all are good."""
    return bool(rows) and all(row.ok for row in rows)


def show(console: Console, rows: Sequence[Row]) -> None:
    """Print the table and a summary below it."""
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    names = [field.name for field in fields(Row) if field.name not in {"ok", "problem", "milliseconds"}]
    for name in names:
        table.add_column(name, justify="right" if name == "attempts" else "left", overflow="fold")
    table.add_column("ms", justify="right")
    table.add_column("")
    story = ""
    for row in rows:
        if story and row.story != story:
            table.add_section()
        story = row.story
        verdict = "[green]ok[/]" if row.ok else f"[red]{escape(row.problem)}[/]"
        table.add_row(*(escape(str(getattr(row, name))) for name in names), _time(row), verdict)
    console.print(table)
    late = sum(row.milliseconds is not None and row.milliseconds > _share(row) for row in rows)
    shares = ", ".join(f"{channel} {share}" for channel, share in SHARES.items())
    console.print(f"[dim]A channel's own share on an idle machine, in ms: {shares}. Rows above it here: {late}.[/]")
    good = sum(row.ok for row in rows)
    colour = "green" if succeeded(rows) else "red"
    console.print(f"[{colour}]{good} of {len(rows)} as promised.[/]")


def _share(row: Row) -> float:
    return SHARES.get(row.channel, float("inf"))


def _time(row: Row) -> str:
    if row.milliseconds is None:
        return "–"
    return f"[yellow]{row.milliseconds}[/]" if row.milliseconds > _share(row) else str(row.milliseconds)
