"""Walking trees: the nodes of `ast.walk`, in its order, but for contexts and operators."""

import ast
import sysconfig
from pathlib import Path

import pytest

from nnreuse.syntax.tree import children, walk

_LEFT_OUT = (ast.expr_context, ast.boolop, ast.operator, ast.unaryop, ast.cmpop, ast.type_ignore)
_LIBRARY = Path(sysconfig.get_paths()["stdlib"])
_EVERY_SYNTAX = """
from a import b as c
def f(a, /, b: int = 1, *c, d=None, e, **g) -> str:
    global x, y
    match a:
        case None | 1 | {"k": v, **rest} | P(q, r=s) | [*t] if a < b <= c: pass
        case {A.b: 1}: pass
    return {**a, 1: 2}, f"{a!r:>{b}}", [x async for x in y if z], lambda *a: a, a[1:2, ::3], not a and -b or c @ d
async def g():
    async with a as b, c: await d
    try: yield
    except* E as e: raise X from e
"""


@pytest.mark.parametrize("path", [None, *sorted(_LIBRARY.glob("[a-d]*.py"))], ids=lambda path: path and path.name)
def test_a_walk_meets_what_ast_meets_in_the_same_order(path: Path | None) -> None:
    tree = ast.parse(_EVERY_SYNTAX if path is None else path.read_bytes())
    expected = [node for node in ast.walk(tree) if not isinstance(node, _LEFT_OUT)]
    assert walk(tree) == expected
    for node in expected:
        assert children(node) == [n for n in ast.iter_child_nodes(node) if not isinstance(n, _LEFT_OUT)]
