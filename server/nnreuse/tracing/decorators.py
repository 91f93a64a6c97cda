"""Decorators: a method wrapped by a small function of the project is that wrapper; any other decorator is looked through."""

import ast

from nnreuse.syntax.tree import walk
from nnreuse.syntax.units import Unit
from nnreuse.tracing import calls
from nnreuse.tracing.machine import Frame, Machine
from nnreuse.tracing.values import Function, Value
from nnreuse.types.meaning import ModuleClass

_SMALL = 12
"""Statements of a wrapper that is followed. Longer ones (hooks, argument checks, caches of a framework) only blur what is seen."""


def wrapped(m: Machine, cls: ModuleClass, unit: Unit, node: ast.FunctionDef | ast.AsyncFunctionDef) -> Function | None:
    """The unbound function that a method's decorators make of it; None where they are looked through."""
    from nnreuse.tracing.expressions import evaluate

    if not node.decorator_list:
        return None
    key = id(node)
    if key in m.globals:
        m.note_again(key)
    else:
        made: Value = Function(cls.file, unit, node, None, cls)
        m.globals[key] = made
        with m.once(calls.HELPER_STEPS, key):
            for decorator in reversed(node.decorator_list):
                function = m.settle(evaluate(m, Frame(cls.file, unit, owner=cls), decorator))
                if isinstance(function, Function) and not isinstance(function.node, ast.Lambda):
                    result = m.settle(calls.enter(m, function, (made,), {}, None))
                    made = result if isinstance(result, Function) and _is_small(result) else made
            m.globals[key] = made
    known = m.globals[key]
    return known if isinstance(known, Function) and known.node is not node else None


def remembers(function: Function) -> bool:
    """Whether it gives the same answer again, the very object: `functools.cache`, `lru_cache`."""
    node = function.node
    if isinstance(node, ast.Lambda) or not node.decorator_list:
        return False
    decorators = (d.func if isinstance(d, ast.Call) else d for d in node.decorator_list)
    names = {d.attr if isinstance(d, ast.Attribute) else getattr(d, "id", "") for d in decorators}
    return bool(names & {"cache", "lru_cache"})


def _is_small(function: Function) -> bool:
    body = function.node.body
    return isinstance(body, list) and sum(isinstance(n, ast.stmt) for s in body for n in walk(s)) <= _SMALL
