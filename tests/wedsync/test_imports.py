"""Imports stand at the top of files, where a reader and the contracts in ``pyproject.toml`` find them."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

ROOT = Path(__file__).parents[2]
PRODUCT = ("wedsync", "integrations", "notifications", "webhooks", "sandbox")
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
LAYERED = (
    *(f"wedsync{inner}" for inner in ("", ".api", ".console", ".couple", ".demo", ".live", ".runner", ".weddings")),
    *("integrations", "notifications", "webhooks", "sandbox"),
)

IN_FUNCTIONS = {
    ("wedsync/celery.py", "_write_lines_only", "celery.apps"): "only a worker needs it; other processes do without it",
}
"""Imports in functions, with their reasons. Those of ``AppConfig.ready`` need none: models exist only by then."""


def imports_in_functions(text: str) -> Iterator[tuple[str, str]]:
    """The function and the module of each import that is not run with its file."""

    def below(node: ast.AST, function: str | None) -> Iterator[tuple[str, str]]:
        for child in ast.iter_child_nodes(node):
            if function and isinstance(child, ast.ImportFrom):
                yield function, "." * child.level + (child.module or "")
            elif function and isinstance(child, ast.Import):
                yield from ((function, name.name) for name in child.names)
            is_function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from below(child, getattr(child, "name", "lambda") if is_function else function)

    yield from below(ast.parse(text), None)


def test_imports_in_functions_are_those_of_ready_and_a_short_list() -> None:
    found = {
        (str(file.relative_to(ROOT)), function, module)
        for top in PRODUCT
        for file in (ROOT / top).rglob("*.py")
        if "migrations" not in file.parts
        for function, module in imports_in_functions(file.read_text())
        if not (file.name == "apps.py" and function == "ready")
    }

    assert found == set(IN_FUNCTIONS)
    assert len(IN_FUNCTIONS) < 10


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("import os\nif True:\n    import re", []),
        ("def f():\n    from a.b import c", [("f", "a.b")]),
        ("class A:\n    async def f(self):\n        if self:\n            import a.b, c", [("f", "a.b"), ("f", "c")]),
        ("def f():\n    def g():\n        from . import a", [("g", ".")]),
    ],
)
def test_imports_are_found_in_every_function(text: str, found: list[tuple[str, str]]) -> None:
    assert list(imports_in_functions(text)) == found


@pytest.mark.parametrize("container", LAYERED)
def test_every_module_of_an_app_has_a_layer(container: str) -> None:
    layers = [each for each in CONTRACTS["contracts"] if container in each.get("containers", ())]

    assert [each["type"] for each in layers] == ["layers"]
    assert layers[0]["exhaustive"] is True
    assert set(layers[0].get("exhaustive_ignores", ())) <= {"migrations"}


def test_every_app_of_ours_is_layered(settings: Settings) -> None:
    ours = {app for app in settings.INSTALLED_APPS if app.split(".")[0] in PRODUCT}

    assert ours
    assert ours <= set(LAYERED)


def test_no_import_is_kept_from_the_contracts() -> None:
    assert not CONTRACTS.get("exclude_type_checking_imports")
    assert [each["name"] for each in CONTRACTS["contracts"] if "ignore_imports" in each] == []
