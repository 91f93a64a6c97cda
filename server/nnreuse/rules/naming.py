"""Naming: whether an instance is named for one of its results, as `q_proj` is for `q` and not for `k`."""

import ast
import re
from collections.abc import Iterator

from nnreuse.tracing.trace import Call

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|\d+")


def named_for(attribute: str, calls: list[Call]) -> tuple[str, Call, Call] | None:
    """The part of an attribute's name that one call's result bears and another's does not, with those two calls."""
    if len({ast.unparse(call.node.func) for call in calls}) > 1:
        return None  # it has a name for each result, and they are one instance on purpose
    for mark in _marks(attribute):
        results = [(call, list(_results(call))) for call in calls]
        if not all(names for _, names in results):
            return None
        bearing = [call for call, names in results if any(_bears(name, mark) for name in names)]
        other = [call for call, names in results if not any(_bears(name, mark) for name in names)]
        if bearing and other:
            return mark, bearing[0], other[0]
    return None


def _marks(attribute: str) -> list[str]:
    """The words of a name, the last letter of each too: `wq` is for `q`."""
    words = [word.lower() for word in _WORD.findall(attribute)]
    return [*words, *(word[-1] for word in words if word.isalpha() and len(word) > 1)]


def _bears(name: str, mark: str) -> bool:
    words = [word.lower() for word in _WORD.findall(name)]
    if len(mark) == 1 and mark in "qkv":
        return bool(words) and words[0].startswith(mark)
    return mark in words


def _results(call: Call) -> Iterator[str]:
    """The names that the statement around a call binds to its result."""
    for root in call.unit.nodes:
        for statement in ast.walk(root):
            if isinstance(statement, ast.Assign) and any(node is call.node for node in ast.walk(statement.value)):
                for target in statement.targets:
                    yield from _bound(target, statement.value, call)


def _bound(target: ast.expr, value: ast.expr, call: Call) -> Iterator[str]:
    if isinstance(target, ast.Name):
        yield target.id
    elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
        for inner, given in zip(target.elts, value.elts, strict=True):
            if any(node is call.node for node in ast.walk(given)):
                yield from _bound(inner, given, call)
