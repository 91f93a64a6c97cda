"""Feeding: how the result of one call comes to a later call, as the assignments between the two say it."""

import ast
from collections.abc import Iterator

from nnreuse.fixes.places import Function, function_at
from nnreuse.syntax.tree import walk
from nnreuse.tracing.trace import Call

_MAX_STEPS = 12

_REDUCING = frozenset(
    "mean sum max min amax amin prod norm gather index_select select narrow take masked_select std var logsumexp "
    "adaptive_avg_pool1d adaptive_avg_pool2d adaptive_max_pool1d adaptive_max_pool2d max_pool1d max_pool2d".split()
)


def feeds_whole(first: Call, second: Call) -> bool:
    """Whether a later call is given the result of an earlier one as it is: no element, slice, mean or maximum of it.

    Calls in two functions are taken for such: what lies between them is not looked at.
    """
    function = function_at(second.site)
    if first.unit is not second.unit or function is None or function is not function_at(first.site):
        return True
    return any(_reads(function, argument, first.node, _start(second.node), _MAX_STEPS) for argument in _given(second))


def closes_residual(call: Call) -> bool:
    """Whether a call is given a sum, as the activation at the end of a residual block is."""
    function = function_at(call.site)
    for argument in _given(call):
        found = None
        if isinstance(argument, ast.Name) and function is not None:
            found = _last_binding(function, argument.id, _start(call.node))
        if _is_sum(argument) or _is_sum(found) or found is not None and _is_sum(found.value):
            return True
    return False


def _given(call: Call) -> Iterator[ast.expr]:
    yield from call.node.args
    yield from (keyword.value for keyword in call.node.keywords)


def _is_sum(value: ast.AST | None) -> bool:
    match value:
        case ast.BinOp(op=ast.Add()) | ast.AugAssign(op=ast.Add()):
            return True
        case ast.Call(func=ast.Attribute(attr="add" | "add_")):
            return True
        case _:
            return False


def _reads(function: Function, value: ast.expr, wanted: ast.Call, before: tuple[int, int], steps: int) -> bool:
    """Whether an expression at a position is the wanted call, or holds it or a local that does, whole."""
    if value is wanted:
        return True
    match value:
        case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)) if name in _REDUCING:
            return False
        case ast.Name() | ast.Subscript() | ast.Attribute(value=ast.Name()):
            return _bound_to(function, ast.unparse(value), wanted, before, steps)
        case _:
            inner = (node for node in ast.iter_child_nodes(value) if isinstance(node, ast.expr))
            return any(_reads(function, node, wanted, before, steps) for node in inner)


def _bound_to(function: Function, text: str, wanted: ast.Call, before: tuple[int, int], steps: int) -> bool:
    """The same for a name, an element or an attribute: what was assigned to it last."""
    found = _last_binding(function, text, before) if steps else None
    if found is None or found.value is None:
        return False
    if _reads(function, found.value, wanted, _start(found), steps - 1):
        return True
    return isinstance(found, ast.AugAssign) and _bound_to(function, text, wanted, _start(found), steps - 1)


_Binding = ast.Assign | ast.AnnAssign | ast.AugAssign


def _last_binding(function: Function, text: str, before: tuple[int, int]) -> _Binding | None:
    """The last statement of a function before a position that assigns to what is written as `text`."""
    found = [
        node
        for node in walk(function)
        if isinstance(node, _Binding)
        and _end(node) <= before
        and any(_names(target, text) for target in _targets(node))
    ]
    return max(found, key=_start, default=None)


def _targets(node: _Binding) -> list[ast.expr]:
    return node.targets if isinstance(node, ast.Assign) else [node.target]


def _names(target: ast.expr, text: str) -> bool:
    if isinstance(target, ast.Tuple | ast.List):
        return any(_names(one, text) for one in target.elts)
    return ast.unparse(target) == text


def _start(node: ast.expr | ast.stmt) -> tuple[int, int]:
    return node.lineno, node.col_offset


def _end(node: ast.stmt) -> tuple[int, int]:
    return node.end_lineno or node.lineno, node.end_col_offset or node.col_offset
