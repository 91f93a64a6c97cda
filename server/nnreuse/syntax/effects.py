"""Effects: which top-level names a file's statements and decorators write to, besides binding them.

`D["a"] = A`, `D.update(...)`, `REG.add("a", A)`, `@REG.register("a")`, `@register("a")`, and loops and branches over these.
"""

import ast
from collections.abc import Iterator

from nnreuse.syntax.tree import children
from nnreuse.syntax.units import ClassUnits, Part, Unit

_BODIES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
_PLAIN = (ast.Import, ast.ImportFrom, ast.Pass)
Effect = tuple[Unit, ast.stmt]
"""A statement; of a definition, its decorators alone count."""


def effects(parts: list[Part]) -> dict[str, list[Effect]]:
    """By name: the top-level statements that may write to what it means, or that call it, in order."""
    found: dict[str, list[Effect]] = {}
    for unit, node in _statements(parts):
        for name in dict.fromkeys(_roots(node)):
            found.setdefault(name, []).append((unit, node))
    return found


def writers(nodes: dict[str, ast.FunctionDef | ast.AsyncFunctionDef]) -> dict[str, list[str]]:
    """By name: the functions, of those given, whose bodies may write to what it means."""
    found: dict[str, list[str]] = {}
    for function, node in nodes.items():
        for name in dict.fromkeys(name for statement in node.body for name in _written(statement, enter=True)):
            if name != function:
                found.setdefault(name, []).append(function)
    return found


def _statements(parts: list[Part]) -> Iterator[Effect]:
    for part in parts:
        if isinstance(part, ClassUnits):
            yield part.header, part.node
        else:
            yield from ((part, node) for node in part.nodes if not isinstance(node, _PLAIN))


def _roots(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        for decorator in node.decorator_list:
            yield from _root(decorator)
        return
    yield from _written(node, enter=False)


def _written(node: ast.stmt, enter: bool) -> Iterator[str]:
    """The names that a statement writes to or calls; inside functions as well where `enter` says so."""
    queue: list[ast.AST] = [node]
    while queue:
        one = queue.pop()
        match one:
            case ast.Call(func=function, args=arguments):
                yield from _root(function)
                yield from (a.id for a in arguments if isinstance(a, ast.Name))
            case ast.Assign(targets=targets):
                yield from (n for t in targets if isinstance(t, ast.Subscript | ast.Attribute) for n in _root(t))
            case ast.AugAssign(target=target):
                yield from _root(target)
            case _:
                pass
        queue += [child for child in children(one) if enter or not isinstance(child, _BODIES)]


def _root(node: ast.expr) -> Iterator[str]:
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    if isinstance(node, ast.Name):
        yield node.id
