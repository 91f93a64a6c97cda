"""Renewing: the list or container that a loop fills is made anew at the start of every pass."""

import ast

from nnreuse.fixes.fix import Refused
from nnreuse.fixes.places import blocks, chain, function_at
from nnreuse.fixes.writing import Build, closing_the_gap, current, lines_of, proven
from nnreuse.syntax.edits import Edit
from nnreuse.syntax.index import FileIndex
from nnreuse.syntax.span import Span
from nnreuse.syntax.tree import walk
from nnreuse.syntax.units import Place


def renewed(added: Place, name: str) -> Build:
    """`name = []` before the loop moves to the beginning of the loop around `added`."""

    def build(index: FileIndex) -> list[Edit] | None:
        loops = (
            [node for node in chain(added) if isinstance(node, ast.For | ast.While)] if current(index, [added]) else []
        )
        if not loops:
            return None
        definition = _made_before(added, loops[-1], name)
        if definition is None:
            raise Refused(f"`{name}` is not made empty right before the loop, or is used outside it")
        return _moved(index, added, definition, loops[-1])

    return build


def _made_before(added: Place, loop: ast.For | ast.While, name: str) -> ast.stmt | None:
    """The one assignment of the name, in the block of the loop, before it; None where anything else there speaks of the name."""
    function = function_at(added)
    block = next((b for node in walk(function) for b in blocks(node) if loop in b), None) if function else None
    found = [s for s in block or () if isinstance(s, ast.Assign) and [ast.unparse(t) for t in s.targets] == [name]]
    if function is None or block is None or len(found) != 1 or block.index(found[0]) > block.index(loop):
        return None
    inside = {id(node) for statement in (loop, found[0]) for node in walk(statement)}
    others = [n for n in walk(function) if isinstance(n, ast.Name | ast.Attribute) and id(n) not in inside]
    return None if any(ast.unparse(one) == name for one in others) else found[0]


def _moved(index: FileIndex, added: Place, definition: ast.stmt, loop: ast.For | ast.While) -> list[Edit] | None:
    unit, first = added.unit, loop.body[0]
    lines, start = lines_of(index, unit.place(definition)), index.span(unit.place(first)).start
    if lines is None or first.lineno == loop.lineno:
        return None
    indent = " " * unit.row(unit.span(first).start)[1]
    written = f"{unit.segment(definition)}\n{indent}"
    return proven(index, [Edit(closing_the_gap(index, lines.span), ""), Edit(Span(start, start), written)])
