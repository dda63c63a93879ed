"""What the product says of itself, as rows of the documentation's tables."""

import ast
import re
import types
import typing
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from django.db.models import TextChoices
from pydantic import BaseModel

from integrations.errors import DeliveryError, Transient, every_error
from tests.docs.tables import WORDS, Row
from wedsync.live.event_types.catalogue import CATALOGUE, EMERGENCY, EventType

ROOT = Path(__file__).resolve().parents[2]
APPS = ("wedsync", "integrations", "notifications", "webhooks")
LEVELS = ("warning", "error", "exception", "critical")
"""The levels of lines that somebody may have to look into, the worst last."""

UNLISTED = {"migrations", "management", "commands", "date_formats"}
"""Packages whose places and names are Django's."""

ONLY_IN_MESSAGES = {(EMERGENCY, "further")}
"""Fields that a payload has room for and no live channel shows."""


def code(text: str) -> str:
    return f"`{text}`"


def members(choices: type[TextChoices], *columns: str | None) -> list[Row]:
    """A row for each member that has a value."""
    return [(code(each.value), *(columns or (WORDS,))) for each in choices if each.value]


def errors() -> Iterator[Row]:
    """Every class of errors that a delivery can end with: what it stands for, and what it counts for."""
    for error in every_error():
        if error not in {DeliveryError, Transient}:
            counts = (error.counts_for_breaker, error.counts_for_health)
            yield (code(error.__name__), WORDS, WORDS, *("yes" if each else "no" for each in counts))


def event_types() -> Iterator[Row]:
    for entry in CATALOGUE.values():
        yield (
            code(entry.name),
            ", ".join(_fields(entry)),
            entry.category.value,
            entry.priority.value,
            ", ".join(sorted(scope.value for scope in entry.scopes)) or "no channel",
        )


def _fields(entry: EventType) -> Iterator[str]:
    for name, field in entry.payload.model_fields.items():
        if name not in {"wedding_id", "extra"} and (entry.name, name) not in ONLY_IN_MESSAGES:
            yield code(_named(name, field.is_required()) + _inside(field.annotation))


def _named(name: str, required: bool) -> str:
    return name if required else f"{name}?"


def _inside(annotation: object) -> str:
    """The fields of the objects in a list, or that it is a list."""
    kinds = typing.get_args(annotation) if isinstance(annotation, types.UnionType) else (annotation,)
    for kind in kinds:
        if typing.get_origin(kind) is list:
            (element,) = typing.get_args(kind)
            if isinstance(element, type) and issubclass(element, BaseModel):
                inner = (_named(name, field.is_required()) for name, field in element.model_fields.items())
                return f": [{{{', '.join(inner)}}}]"
            return ": []"
    return ""


def log_lines() -> dict[str, str]:
    """Each line that is logged as a warning or worse, with its worst level. ``exception`` is ``error`` with a trace."""
    found: dict[str, set[str]] = defaultdict(set)
    for app in APPS:
        for path in (ROOT / app).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call):
                    for name, level in _logged(node):
                        found[name].add(level)
    worst = {name: max(levels, key=LEVELS.index) for name, levels in found.items()}
    return {name: "error" if worst[name] == "exception" else worst[name] for name in sorted(worst)}


def _logged(call: ast.Call) -> Iterator[tuple[str, str]]:
    match call:
        case ast.Call(func=ast.Attribute(ast.Name("log" | "logger"), level), args=[ast.Constant(str(name)), *_]):
            yield from _if_listed(name, level)
        case ast.Call(args=[ast.Attribute(ast.Name("log"), level), ast.Constant(str(name)), *_]):  # logged later
            yield from _if_listed(name, level)
        case ast.Call(keywords=keywords):  # logged where a row breaks (notifications/sweep_rounds.py)
            for keyword in keywords:
                if keyword.arg == "broken" and isinstance(keyword.value, ast.Constant):
                    yield str(keyword.value.value), "exception"


def _if_listed(name: str, level: str) -> Iterator[tuple[str, str]]:
    if level in LEVELS:
        yield name, level


def processes() -> list[str]:
    """The Procfile's names."""
    lines = (ROOT / "Procfile").read_text().splitlines()
    return [line.partition(":")[0] for line in lines if line and not line.startswith("#")]


def packages() -> Iterator[Row]:
    """Each package of the product with the first sentence of its docstring."""
    for top in (*APPS, "sandbox"):
        for init in sorted((ROOT / top).rglob("__init__.py")):
            path = init.parent.relative_to(ROOT)
            if not UNLISTED & set(path.parts):
                yield code(f"{path}/"), _first_sentence(init)


def _first_sentence(init: Path) -> str:
    said = " ".join((ast.get_docstring(ast.parse(init.read_text())) or "").split())
    first = re.split(r"(?<=[.])\s", said)[0].replace("``", "`")
    return re.sub(r":\w+:`([^`]+)`", r"`\1`", first)
