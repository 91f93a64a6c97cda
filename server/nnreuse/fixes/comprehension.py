"""Comprehensions: `[E] * n` becomes `[E for _ in range(n)]`, so that each position has an instance of its own."""

import ast
from collections.abc import Sequence

import libcst as cst

from nnreuse.fixes.construction import must_be_plain
from nnreuse.fixes.inline import definition_of, deletion, movable, written_at
from nnreuse.fixes.places import Function, called_name, chain, expression_at, function_at
from nnreuse.fixes.writing import Build, code, concrete, current, proven, trimmed
from nnreuse.syntax.edits import Edit
from nnreuse.syntax.index import FileIndex
from nnreuse.syntax.tree import walk
from nnreuse.syntax.units import Place

_Display = cst.List | cst.Tuple


def repeat_to_comprehension(place: Place) -> Build:
    """The fix of `[E] * n`, `n * [E]`, `(E,) * n`, `[E1, E2] * n`, and of `nn.ModuleList[E] * n`, whose E are constructed in place."""

    def build(index: FileIndex) -> list[Edit] | None:
        node = expression_at(place) if current(index, [place]) else None
        if not isinstance(node, ast.BinOp) or not _may_loop(place, node):
            return None
        function = function_at(place)
        elements = _elements(node)
        if not elements:
            return None
        for element in elements:
            must_be_plain(function, element, locals_only=True)
        new = _comprehension(place)
        return proven(index, [trimmed(index, place, new)]) if new is not None else None

    return build


def repeat_name(place: Place) -> Build:
    """The fix of `layer = E` … `[layer] * n`, where `layer` is a local that only the list uses: E moves into the list."""

    def build(index: FileIndex) -> list[Edit] | None:
        node = expression_at(place) if current(index, [place]) else None
        if not isinstance(node, ast.BinOp) or not _may_loop(place, node):
            return None
        elements = _elements(node)
        if len(elements) != 1 or not isinstance(elements[0], ast.Name):
            return None
        definition = definition_of(place, elements[0].id)
        return _moved_in(index, place, definition, elements[0]) if definition is not None else None

    return build


def _moved_in(index: FileIndex, place: Place, definition: Place, name: ast.Name) -> list[Edit] | None:
    use = Place(place.unit, place.unit.span(name))
    value = movable(definition, [use])
    removal = deletion(index, definition)
    if value is None or removal is None or _is_super(value):
        return None
    new = _comprehension(place, written_at(definition, use, value))
    return proven(index, [removal, trimmed(index, place, new)]) if new is not None else None


def _elements(node: ast.BinOp) -> list[ast.expr]:
    for side in (node.left, node.right):
        if isinstance(side, ast.List | ast.Tuple):
            return side.elts
    return [node.left.slice] if isinstance(node.left, ast.Subscript) else []


def _may_loop(place: Place, node: ast.BinOp) -> bool:
    """Whether the product stands where a comprehension means the same: not in a class body, not in another product."""
    around = chain(place)[:-1]
    if not isinstance(node.op, ast.Mult) or any(
        isinstance(n, ast.BinOp) and isinstance(n.op, ast.Mult) for n in around[-1:]
    ):
        return False
    in_function = any(isinstance(n, Function | ast.Lambda) for n in around)
    return (in_function or _is_module_level(place, around)) and not any(map(_is_super, _elements(node)))


def _is_module_level(place: Place, around: Sequence[ast.AST]) -> bool:
    """Names of a class body are not seen inside a comprehension."""
    indented = place.unit.lines[0][:1] in (" ", "\t")
    return not indented and not any(isinstance(n, ast.ClassDef) for n in around)


def _is_super(node: ast.expr) -> bool:
    """`super()` and `__class__` mean nothing inside a comprehension before Python 3.12."""
    return any(isinstance(n, ast.Name) and n.id in ("super", "__class__") for n in walk(node))


def _comprehension(place: Place, element: str | None = None) -> str | None:
    """The text of the comprehension; `element` stands in for the one element where given. None for shapes that have no plain form."""
    text = place.text
    tree = concrete(text)
    if not isinstance(tree, cst.BinaryOperation) or "#" in code(tree.operator, text):
        return None
    sequence = next((side for side in (tree.left, tree.right) if isinstance(side, _Display)), None)
    count = tree.left if sequence is tree.right else tree.right
    number = code(count.with_changes(lpar=[], rpar=[]), text).strip()
    if "#" in code(count, text):
        return None
    if sequence is None:
        return _called(tree.left, number, text) if isinstance(tree.left, cst.Subscript) else None
    if len(sequence.lpar) > isinstance(sequence, cst.Tuple):
        return None
    items = [item for item in sequence.elements if isinstance(item, cst.Element)]
    if len(items) == 1 and len(sequence.elements) == 1:
        return _single(place, sequence, items[0], number, element)
    return _several(sequence, number, text) if len(items) == len(sequence.elements) else None


def _single(place: Place, sequence: cst.List | cst.Tuple, item: cst.Element, number: str, element: str | None) -> str:
    """The display's own brackets, spaces and comments stay, its trailing comma goes."""
    like = place.text
    opening = sequence.lbracket if isinstance(sequence, cst.List) else sequence.lpar[0]
    before = code(opening.whitespace_after, like)
    old, comma = code(item.value, like), ""
    if isinstance(item.comma, cst.Comma):
        comma = code(item.comma, like)
        spaces = code(item.comma.whitespace_before, like) + code(item.comma.whitespace_after, like)
    else:
        spaces = ""
    after = spaces + _inside(sequence, like)[len(before + old + comma) :]
    value = element if element is not None else old
    made = (
        f"{before}{value} for {_unused(value, ('_', '_i', '_j'))} in range({number}){after if after.strip(' ') else ''}"
    )
    if isinstance(sequence, cst.Tuple) and not _goes_into_module(place):
        return f"tuple({made})"
    return f"[{made}]"


def _inside(sequence: cst.List | cst.Tuple, like: str) -> str:
    """The text between the brackets."""
    return code(sequence, like)[1:-1]


def _goes_into_module(place: Place) -> bool:
    """Whether a tuple is only handed to a call, as in `nn.ModuleList((E,) * n)`, which takes a list as well."""
    around = chain(place)[-2:-1]
    return any(isinstance(n, ast.Starred) or isinstance(n, ast.Call) and called_name(n) == "ModuleList" for n in around)


def _several(sequence: cst.List | cst.Tuple, number: str, like: str) -> str | None:
    """`[A(), B()] * n` gives `[m for _ in range(n) for m in (A(), B())]`; a tuple gives a tuple."""
    inside = _inside(sequence, like)
    name, count = _unused(inside, ("m", "layer", "module")), _unused(inside, ("_", "_i", "_j"))
    if not name or not count:
        return None
    made = f"{name} for {count} in range({number}) for {name} in ({inside})"
    return f"tuple({made})" if isinstance(sequence, cst.Tuple) else f"[{made}]"


def _called(indexed: cst.Subscript, number: str, like: str) -> str | None:
    """`nn.ModuleList[E] * n` gives `nn.ModuleList([E for _ in range(n)])`; a Sequential takes them one by one."""
    inner = indexed.slice[0].slice if len(indexed.slice) == 1 else None
    if not isinstance(inner, cst.Index) or "#" in code(indexed, like):
        return None
    text, container = code(inner.value, like), code(indexed.value, like)
    star = "*" if container.endswith("Sequential") else ""
    return f"{container}({star}[{text} for {_unused(text, ('_', '_i', '_j'))} in range({number})])"


def _unused(text: str, names: tuple[str, ...]) -> str:
    """The first of `names` that an expression does not use; empty where it uses them all."""
    used = {n.id for n in walk(ast.parse(f"({text}\n)")) if isinstance(n, ast.Name)}
    return next((name for name in names if name not in used), "")
