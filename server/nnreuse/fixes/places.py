"""Places: from a range of a unit to the nodes of Python's tree that stand there, and from a node to what stands around it."""

import ast
from collections.abc import Iterator, Sequence

from nnreuse.syntax.once import once
from nnreuse.syntax.span import Span
from nnreuse.syntax.tree import children
from nnreuse.syntax.units import Place, Unit

Function = ast.FunctionDef | ast.AsyncFunctionDef

_Positioned = ast.expr | ast.stmt | ast.alias | ast.arg | ast.keyword


def chain(place: Place) -> Sequence[ast.AST]:
    """The nodes from a statement of the unit down to the node that covers the place exactly; empty where none does."""
    return _chain(place.unit, place.span)


@once
def _chain(unit: Unit, span: Span) -> Sequence[ast.AST]:
    place = Place(unit, span)
    for root in unit.nodes:
        # A class's header holds the whole class as its node, whose end lies outside the unit.
        if (root.end_lineno or 0) - unit.origin < len(unit.lines):
            found = _descend(place, _rows(place), root)
            if found:
                return found
    return []


def _rows(place: Place) -> tuple[int, int]:
    """The first and the last line of a place, as the unit's nodes count lines."""
    unit = place.unit
    return unit.row(place.span.start)[0] + unit.origin, unit.row(place.span.end)[0] + unit.origin


def _descend(place: Place, rows: tuple[int, int], node: ast.AST) -> list[ast.AST]:
    positioned = isinstance(node, _Positioned)
    if positioned:
        if node.lineno > rows[0] or (node.end_lineno or 0) < rows[1]:
            return []  # most nodes: lines are compared before any offset is computed
        if not place.unit.span(node).contains(place.span):
            return []
    # Positions inside f-strings cannot be relied on before Python 3.12.
    if not isinstance(node, ast.JoinedStr):
        for child in children(node):
            found = _descend(place, rows, child)
            if found:
                return [node, *found]
    return [node] if positioned and place.unit.span(node) == place.span else []


def statement_at(place: Place) -> ast.stmt | None:
    """The statement that a place covers exactly."""
    for node in chain(place):
        if isinstance(node, ast.stmt) and place.unit.span(node) == place.span:
            return node
    return None


def expression_at(place: Place) -> ast.expr | None:
    """The expression that a place covers exactly."""
    found = chain(place)
    return found[-1] if found and isinstance(found[-1], ast.expr) else None


def function_at(place: Place) -> Function | None:
    """The innermost function around a place."""
    around = [node for node in chain(place)[:-1] if isinstance(node, Function)]
    return around[-1] if around else None


def siblings(unit: Unit, statement: ast.stmt) -> list[ast.stmt]:
    """The block of statements that a statement belongs to; empty where that is the class body or the module."""
    for node in reversed(chain(Place(unit, unit.span(statement)))):
        for block in blocks(node):
            if statement in block:
                return block
    return []


def blocks(node: ast.AST) -> Iterator[list[ast.stmt]]:
    """The statement blocks of one node: body, else and finally."""
    for name in ("body", "orelse", "finalbody"):
        block = getattr(node, name, None)
        if isinstance(block, list):
            yield block


def called_name(node: ast.expr) -> str:
    """The last part of the name of what a call calls; empty where that is no name."""
    function = node.func if isinstance(node, ast.Call) else node
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def is_self(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id == "self"
