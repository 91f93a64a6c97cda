"""Comprehensions: `[E] * n` becomes `[E for _ in range(n)]`, so that each position has an instance of its own."""

import ast

import libcst as cst

from nnreuse.fixes.writing import (
    Build,
    code,
    concrete,
    current,
    expression_at,
    function_at,
    is_plain_construction,
    proven,
    shares_a_local_module,
    siblings,
    whole_lines,
)
from nnreuse.syntax.edits import Edit
from nnreuse.syntax.index import FileIndex
from nnreuse.syntax.span import Span
from nnreuse.syntax.units import Place


def repeat_to_comprehension(place: Place) -> Build:
    """The fix of a multiplied list or tuple whose elements are constructed in place."""

    def build(index: FileIndex) -> list[Edit] | None:
        node = expression_at(place) if current(index, [place]) else None
        if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Mult):
            return None
        elements = _elements(node)
        function = function_at(place)
        if isinstance(node.left, ast.Subscript):
            elements = [node.left.slice]
        if not elements or not all(
            is_plain_construction(e) and not shares_a_local_module(function, e) for e in elements
        ):
            return None
        new = _comprehension(place.text)
        return proven(index, [Edit(index.span(place), new)]) if new else None

    return build


def _elements(node: ast.BinOp) -> list[ast.expr]:
    for side in (node.left, node.right):
        if isinstance(side, ast.List | ast.Tuple):
            return side.elts
    return []


def _comprehension(text: str, element: str | None = None) -> str | None:
    """The text of the comprehension; `element` replaces the one element where given. None for shapes that have no plain form."""
    tree = concrete(text)
    if not isinstance(tree, cst.BinaryOperation):
        return None
    if isinstance(tree.left, cst.Subscript):
        return _called(tree.left, tree.right)
    sequence, count = (
        (tree.left, tree.right) if isinstance(tree.left, cst.List | cst.Tuple) else (tree.right, tree.left)
    )
    if not isinstance(sequence, cst.List | cst.Tuple) or len(sequence.elements) != 1:
        return _several(sequence, count) if element is None else None
    only = sequence.elements[0]
    if not isinstance(only, cst.Element):
        return None
    value = concrete(element) if element is not None else only.value
    if value is None or "#" in code(sequence).replace(code(only.value), ""):
        return None
    loop = _loop(_unused(code(value)), count)
    if isinstance(sequence, cst.Tuple):
        return f"tuple({code(cst.GeneratorExp(value, loop, lpar=[], rpar=[]))})"
    made = cst.ListComp(value, loop, lbracket=sequence.lbracket, rbracket=sequence.rbracket)
    return code(made)


def _called(indexed: cst.Subscript, count: cst.BaseExpression) -> str | None:
    """`nn.ModuleList[E] * n` gives `nn.ModuleList([E for _ in range(n)])`."""
    inner = indexed.slice[0].slice if len(indexed.slice) == 1 else None
    if not isinstance(inner, cst.Index) or "#" in code(indexed):
        return None
    text = code(inner.value)
    return f"{code(indexed.value)}([{text} for {_unused(text)} in range({code(count.with_changes(lpar=[], rpar=[]))})])"


def _several(sequence: cst.BaseExpression, count: cst.BaseExpression) -> str | None:
    """`[A(), B()] * n` gives `[m for _ in range(n) for m in (A(), B())]`."""
    if not isinstance(sequence, cst.List) or "#" in code(sequence):
        return None
    parts = [e.value for e in sequence.elements if isinstance(e, cst.Element)]
    if len(parts) != len(sequence.elements):
        return None
    text = ", ".join(code(p) for p in parts)
    return f"[module for _ in range({code(count)}) for module in ({text})]" if "module" not in text else None


def _loop(name: str, count: cst.BaseExpression) -> cst.CompFor:
    bare = count.with_changes(lpar=[], rpar=[])
    return cst.CompFor(cst.Name(name), cst.Call(cst.Name("range"), [cst.Arg(bare)]))


def _unused(text: str) -> str:
    names = {n.id for n in ast.walk(ast.parse(f"({text}\n)")) if isinstance(n, ast.Name)}
    return next(name for name in ("_", "_i", "_position", "_unused") if name not in names)


def repeat_name(place: Place) -> Build:
    """The fix of `layer = E` … `[layer] * n`, where `layer` is a local that only the list uses: E moves into the list."""

    def build(index: FileIndex) -> list[Edit] | None:
        node = expression_at(place) if current(index, [place]) else None
        function = function_at(place)
        if not isinstance(node, ast.BinOp) or function is None:
            return None
        elements = _elements(node)
        if len(elements) != 1 or not isinstance(elements[0], ast.Name):
            return None
        return _moved(index, place, function, elements[0].id)

    return build


def _moved(index: FileIndex, place: Place, function: ast.AST, name: str) -> list[Edit] | None:
    uses = [n for n in ast.walk(function) if isinstance(n, ast.Name) and n.id == name]
    made = [
        n
        for n in ast.walk(function)
        if isinstance(n, ast.Assign)
        and len(n.targets) == 1
        and isinstance(n.targets[0], ast.Name)
        and n.targets[0].id == name
    ]
    if (
        len(uses) != 2
        or len(made) != 1
        or not is_plain_construction(made[0].value)
        or shares_a_local_module(function, made[0].value)
    ):
        return None
    definition = Place(place.unit, place.unit.span(made[0]))
    lines = whole_lines(definition)
    new = _comprehension(place.text, place.unit.segment(made[0].value))
    if lines is None or new is None or len(siblings(place.unit, made[0])) < 2:
        return None
    span, _, ending = lines
    if "#" in place.unit.text[span.start : span.end]:
        return None
    shift = index.span(place).start - place.span.start
    end = span.end if place.unit.text[: span.end].endswith(ending) else span.end + len(ending)
    return proven(index, [Edit(Span(span.start, end).shifted(shift), ""), Edit(index.span(place), new)])
