"""A template language for staff: Jinja2 that can neither escape its sandbox nor run for long.

:mod:`wedsync.templating.allowed_nodes` lists what a template may contain. It calls nothing but ``range``, reads only
fields of JSON values, and produces no value larger than 64 KiB. Loops share one budget of rounds, and the time is
checked in between (docs/adr/0029). What it prints is escaped for the inside of a JSON text, so
``"{{ payload.reason }}"`` is valid whatever the reason says; ``{{ payload.changes|tojson }}`` prints a whole value.
"""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from functools import lru_cache
from typing import Any, NoReturn

from jinja2 import ChainableUndefined, StrictUndefined, TemplateError, Undefined, nodes, pass_context
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from wedsync.templating import allowed_nodes, time_budget
from wedsync.templating.filters import FILTERS, MOST_CHARACTERS, TESTS, CannotRender, weigh

LONGEST_TEMPLATE = 10_000
MOST_ROUNDS = 5_000
MOST_SECONDS = 1.0
# Inserted below; templates cannot name them.
_BOUNDED, _COUNTED, _JOINED, _WEIGHED = "bounded__", "counted__", "joined__", "weighed__"
_LAZY = frozenset({"map", "select", "selectattr", "reject", "rejectattr", "unique"})  # they produce values one by one


class _Budget:
    """The rest of one rendering's budget."""

    def __init__(self) -> None:
        self._rounds, self._seconds = MOST_ROUNDS, min(MOST_SECONDS, time_budget.left())
        self._until = time.monotonic() + self._seconds

    def take_round(self) -> None:
        self._rounds -= 1
        if self._rounds < 0:
            raise CannotRender(f"its loops take more than {MOST_ROUNDS} rounds")
        self.look_at_the_clock()

    def look_at_the_clock(self) -> None:
        if time.monotonic() > self._until:
            raise CannotRender(f"it takes longer than {self._seconds:.2g} s")


_budget: ContextVar[_Budget] = ContextVar("budget of the rendering")


class _Limits(NodeTransformer):
    """Wraps our limits around nodes that produce values, and around loops."""

    def visit_List(self, node: nodes.List) -> nodes.Node:  # noqa: N802
        return _through(_BOUNDED, self.generic_visit(node))

    def visit_Dict(self, node: nodes.Dict) -> nodes.Node:  # noqa: N802
        return _through(_BOUNDED, self.generic_visit(node))

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Node:  # noqa: N802
        visited = self.generic_visit(node)
        return visited if node.ctx == "store" else _through(_BOUNDED, visited)

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _through(_JOINED, nodes.List(node.nodes, lineno=node.lineno))

    def visit_Filter(self, node: nodes.Filter) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _through(_WEIGHED, node) if node.name in _LAZY else node

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        node.iter = _through(_COUNTED, node.iter)
        return node


def _through(name: str, node: Any) -> nodes.Filter:
    return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno)


class Language(ImmutableSandboxedEnvironment):
    """The rules of the language. ``filters``: further filters, each bounded; ``printed``: how a value is printed."""

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%", "**"})
    intercepted_unops = frozenset({"+", "-"})

    def __init__(
        self,
        undefined: type[Undefined],
        filters: Mapping[str, Any] | None = None,
        printed: Callable[[Context, Any], str] | None = None,
        **options: Any,
    ) -> None:
        finalize = printed or _printed
        super().__init__(undefined=undefined, optimized=False, finalize=finalize, cache_size=0, **options)
        self.known = FILTERS | dict(filters or {})
        ours = {_BOUNDED: _bounded, _COUNTED: _counted, _JOINED: _joined, _WEIGHED: _weighed}
        self.filters = {name: _watched(each) for name, each in self.known.items()} | ours
        self.tests = {name: self.tests[name] for name in TESTS}
        self.globals = {"range": _short_range}

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        allowed_nodes.check(tree, self.known)
        _Limits().visit(tree)
        return tree.set_environment(self)  # type: ignore[return-value]

    def getattr(self, obj: Any, attribute: str) -> Any:
        """A field of a JSON object, or an attribute of a loop."""
        if isinstance(obj, LoopContext) and not attribute.startswith("_"):
            return getattr(obj, attribute)
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """A field of a JSON object, an element of a list, characters of a text."""
        if isinstance(obj, ChainableUndefined):
            return obj
        if isinstance(obj, Mapping) and isinstance(argument, str) and argument in obj:
            return obj[argument]
        if isinstance(obj, list | tuple | str) and isinstance(argument, int | slice):
            try:
                return obj[argument]
            except IndexError:
                pass
        return self.undefined(obj=obj, name=argument)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Sums of texts and lists within limits; all other operations only with numbers that are not too large."""
        _budget.get().look_at_the_clock()
        if operator == "+" and (isinstance(left, str | list)):
            if type(left) is not type(right):
                raise CannotRender(f"+ cannot join a {type(left).__name__} and a {type(right).__name__}")
            total: Any = left
            return _bounded(total + right)
        _check_numbers(left, right)
        result = super().call_binop(context, operator, left, right)
        _check_numbers(result)
        return result

    def call_unop(self, context: Context, operator: str, arg: Any) -> Any:
        """The sign of a number."""
        _check_numbers(arg)
        return super().call_unop(context, operator, arg)


def _too_large() -> NoReturn:
    raise CannotRender(f"it produces a value of more than {MOST_CHARACTERS:,} characters")


def _check_numbers(*values: Any) -> None:
    for value in values:
        if isinstance(value, StrictUndefined):
            str(value)  # raises, with the name of what is missing
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise CannotRender(f"it calculates with {_kind(value)}, which is not a number")
        if not abs(value) < 1e18:
            raise CannotRender("it calculates with numbers that are too large")


def _kind(value: Any) -> str:
    if isinstance(value, Undefined) or value is None:
        return "something that is missing"
    return f"a {type(value).__name__}"


def _short_range(*bounds: int) -> list[int]:
    _check_numbers(*bounds)
    numbers = range(*bounds)
    if len(numbers) > MOST_ROUNDS:
        raise CannotRender(f"range(...) produces more than {MOST_ROUNDS} numbers")
    return list(numbers)


def _bounded(value: Any) -> Any:
    weigh(value)
    _budget.get().look_at_the_clock()
    return value


def _counted(values: Iterable[Any]) -> Iterator[Any]:
    budget = _budget.get()
    for value in values:
        budget.take_round()
        yield value


def _weighed(values: Iterable[Any]) -> Iterator[Any]:
    """Each value as it is produced, so that the collection is limited before it is complete."""
    budget, total = _budget.get(), 0
    for value in values:
        budget.look_at_the_clock()
        total += weigh(value)
        if total > MOST_CHARACTERS:
            _too_large()
        yield value


def _joined(values: list[Any]) -> str:
    return str(_bounded(FILTERS["join"](values)))


def _watched(wrapped: Any) -> Any:
    """The filter, which first checks the time."""

    def watched(*args: Any, **kwargs: Any) -> Any:
        _budget.get().look_at_the_clock()
        return wrapped(*args, **kwargs)

    vars(watched).update(vars(wrapped))  # Jinja's marks for what a filter is given
    return watched


@pass_context  # so that nothing is evaluated when the template is compiled
def _printed(_context: Context, value: Any) -> str:
    """A value for the inside of a JSON text, without quotes; the result of ``tojson`` stays as it is."""
    if isinstance(value, Undefined):
        return str(value)
    if type(value) is str:
        return json.dumps(value, ensure_ascii=False)[1:-1]
    return str(FILTERS["string"](value))


_strict, _lenient = Language(StrictUndefined), Language(ChainableUndefined)


@lru_cache(maxsize=256)
def _compiled(source: str, language: Language) -> Any:
    if len(source) > LONGEST_TEMPLATE:
        raise CannotRender(f"it is longer than {LONGEST_TEMPLATE} characters")
    try:
        return language.from_string(source)
    except CannotRender:
        raise
    except TemplateError as error:
        line = getattr(error, "lineno", None)
        raise CannotRender(f"line {line}: {error.message}" if line else str(error)) from error
    except (SyntaxError, RecursionError, MemoryError, OverflowError, ValueError) as error:
        raise CannotRender("it is nested too deeply, or has numbers that are too long") from error


def render(source: str, facts: Mapping[str, Any], *, strict: bool = False) -> str:
    """The text that a template renders; at most 64 KiB, within about a second.

    Arguments:
        strict: a missing field is an error; otherwise it renders as nothing.

    Raises:
        CannotRender: with a reason for staff.
    """
    return render_in(_strict if strict else _lenient, source, facts)


def render_in(language: Language, source: str, facts: Mapping[str, Any]) -> str:
    """Render a template in a language with other filters.

    Raises:
        CannotRender: with a reason for staff.
    """
    template = _compiled(source, language)
    token = _budget.set(_Budget())
    written: list[str] = []
    size = 0
    try:
        for piece in template.generate(**facts):
            size += len(piece)
            if size > MOST_CHARACTERS:
                _too_large()
            written.append(piece)
    except CannotRender:
        raise
    except Exception as error:
        raise CannotRender(" ".join(str(error).split())[:300] or type(error).__name__) from error
    finally:
        _budget.reset(token)
    return "".join(written)
