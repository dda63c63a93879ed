"""What a template may contain; everything else is refused before it is compiled (docs/adr/0029)."""

from collections.abc import Mapping
from typing import Any

from jinja2 import nodes

from wedsync.templating.filters import TESTS, CannotRender

MOST_NODES = 3_000  # per template; the cost of compiling grows with them
_ALLOWED = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.For, nodes.If, nodes.Assign, nodes.Name, nodes.Const,
    nodes.List, nodes.Tuple, nodes.Dict, nodes.Pair, nodes.Getattr, nodes.Getitem, nodes.Slice, nodes.CondExpr,
    nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Add, nodes.Sub, nodes.Mul, nodes.Div,
    nodes.FloorDiv, nodes.Mod, nodes.Neg, nodes.Pos, nodes.Concat, nodes.Filter, nodes.Test, nodes.Keyword,
)  # fmt: skip


def check(tree: nodes.Template, known: Mapping[str, Any]) -> None:
    """Refuse what is not in the language.

    Raises:
        CannotRender: with the line number.
    """
    for number, node in enumerate(tree.find_all(nodes.Node)):
        if number >= MOST_NODES:
            raise CannotRender(f"it has more than {MOST_NODES} parts; split it, or shorten it")
        where = f"line {node.lineno}: "
        if isinstance(node, nodes.Call):
            if not (isinstance(node.node, nodes.Name) and node.node.name == "range"):
                raise CannotRender(f"{where}only range(...) can be called; use filters")
        elif not isinstance(node, _ALLOWED):
            raise CannotRender(f"{where}“{type(node).__name__.lower()}” is not allowed here")
        if isinstance(node, nodes.Getattr) and node.attr.startswith("_"):
            raise CannotRender(f"{where}the attribute {node.attr} is not allowed")
        if isinstance(node, nodes.Filter) and node.name not in known:
            raise CannotRender(f"{where}unknown filter {node.name}; known: {', '.join(sorted(known))}")
        if isinstance(node, nodes.Test) and node.name not in TESTS:
            raise CannotRender(f"{where}unknown test {node.name}; known: {', '.join(sorted(TESTS))}")
