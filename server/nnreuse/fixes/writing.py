"""Writing: building edits of a file from changes to its units, and proving that the result still is Python.

libcst reads exactly the text a fix is about to change, after Python's own parser has accepted it; what is not changed
is not written, so comments, quotes, line ends and indentation stay as they are.
"""

import ast
from collections.abc import Callable, Iterator, Sequence

import libcst as cst

from nnreuse.syntax.edits import Edit, compatible
from nnreuse.syntax.index import FileIndex
from nnreuse.syntax.span import Span
from nnreuse.syntax.units import Place, Unit, Unparsable, parse

Build = Callable[[FileIndex], list[Edit] | None]


def proven(index: FileIndex, edits: Sequence[Edit]) -> list[Edit] | None:
    """The edits, in order, if they can be applied together and the file parses afterwards; else None."""
    ordered = sorted(set(edits))
    if not ordered or not compatible(ordered):
        return None
    text, parts, end = index.source.text, list[str](), 0
    for edit in ordered:
        parts += text[end : edit.span.start], edit.content
        end = edit.span.end
    try:
        parse("".join([*parts, text[end:]]))
    except Unparsable:
        return None
    return ordered


def current(index: FileIndex, places: Sequence[Place]) -> bool:
    """Whether the units of all places still stand in the file."""
    return index.broken is None and all(place.unit in index.first_lines for place in places)


def statement_at(place: Place) -> ast.stmt | None:
    """The statement that a place covers exactly."""
    for root in place.unit.nodes:
        for node in ast.walk(root):
            if (
                isinstance(node, ast.stmt)
                and not isinstance(node, ast.ClassDef)
                and place.unit.span(node) == place.span
            ):
                return node
    return None


def expression_at(place: Place) -> ast.expr | None:
    """The expression that a place covers exactly."""
    for root in place.unit.nodes:
        for node in ast.walk(root):
            if isinstance(node, ast.expr) and place.unit.span(node) == place.span:
                return node
    return None


def function_at(place: Place) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    """The innermost function around a place."""
    found: ast.FunctionDef | ast.AsyncFunctionDef | None = None
    for root in place.unit.nodes:
        for node in ast.walk(root):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and place.unit.span(node).contains(place.span):
                found = node
    return found


def siblings(unit: Unit, statement: ast.stmt) -> list[ast.stmt]:
    """The block of statements that a statement belongs to."""
    for root in unit.nodes:
        for block in blocks(root):
            if statement in block:
                return block
    return []


def blocks(root: ast.AST) -> Iterator[list[ast.stmt]]:
    for node in ast.walk(root):
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            if isinstance(block, list) and block and isinstance(block[0], ast.stmt):
                yield block


def whole_lines(place: Place) -> tuple[Span, str, str] | None:
    """The lines of a statement that has them to itself: their span in the unit, its indentation, and its line end."""
    first, column = place.unit.row(place.span.start)
    last, end_column = place.unit.row(place.span.end)
    indentation = place.unit.lines[first][:column]
    rest = place.unit.lines[last][end_column:]
    if indentation.strip() or (rest.strip() and not rest.lstrip().startswith("#")):
        return None
    ending = line_end(place.unit.lines[last]) or line_end(place.unit.lines[first]) or "\n"
    start = place.span.start - column
    return Span(start, place.span.end + len(rest)), indentation, ending


def line_end(line: str) -> str:
    return line[len(line.rstrip("\r\n")) :]


def is_plain_construction(node: ast.expr) -> bool:
    """Whether evaluating a constructor call once more does no more than construct: no walrus, no iterator moved on."""
    if not isinstance(node, ast.Call):
        return False
    for inner in ast.walk(node):
        if isinstance(inner, ast.NamedExpr | ast.Await | ast.Yield | ast.YieldFrom | ast.Lambda):
            return False
        if isinstance(inner, ast.Call):
            function = inner.func
            name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
            if name in ("next", "pop", "popitem", "popleft", "randint", "rand", "random", "setdefault", "append"):
                return False
    return True


def shares_a_local_module(function: ast.AST | None, node: ast.expr) -> bool:
    """Whether an argument is a local that holds an instance: constructed once more, the two would share it."""
    if function is None:
        return False
    made = {
        target.id
        for inner in ast.walk(function)
        if isinstance(inner, ast.Assign) and isinstance(inner.value, ast.Call) and _looks_like_class(inner.value.func)
        for target in inner.targets
        if isinstance(target, ast.Name)
    }
    return any(isinstance(inner, ast.Name) and inner.id in made for inner in ast.walk(node))


def _looks_like_class(function: ast.expr) -> bool:
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return bool(name) and name[0].isupper()


def concrete(text: str) -> cst.BaseExpression | None:
    """libcst's tree of an expression; None where Python's parser would not take it."""
    try:
        parse(f"({text}\n)")
        return cst.parse_expression(text)
    except (Unparsable, cst.ParserSyntaxError):
        return None


def code(node: cst.BaseExpression) -> str:
    return cst.Module([]).code_for_node(node)
