"""Factories: what a module-level name holds is made anew at each use: `self.act = ACT`, `self.act = ACTIVATIONS[name]`."""

import ast
from collections.abc import Iterator

from nnreuse.fixes.construction import is_plain_construction
from nnreuse.fixes.places import Function, expression_at, function_at
from nnreuse.fixes.writing import Build, current, proven
from nnreuse.syntax.edits import Edit
from nnreuse.syntax.index import FileIndex
from nnreuse.syntax.span import Span
from nnreuse.syntax.tree import children, walk
from nnreuse.syntax.units import Place, Unit


def made_at_use(use: Place, name: str) -> Build:
    """The constructor in place of a module-level name that holds what it made; the name itself stays as it is."""

    def build(index: FileIndex) -> list[Edit] | None:
        value = _value(index, name) if current(index, [use]) else None
        node = expression_at(use)
        if value is None or not isinstance(node, ast.Name) or node.id != name or not is_plain_construction(value):
            return None
        text = index.bindings[name].unit.segment(value)
        if "\n" in text or "\r" in text or _means_else(index, use, value):
            return None
        return proven(index, [Edit(index.span(use), text)])

    return build


def registry_of_factories(name: str) -> Build:
    """The instances in a module-level dict become what makes them, and each `NAME[key]` of the file a call.

    None where the file does anything else with the dict, or other files may import it: its name has no leading underscore.
    """

    def build(index: FileIndex) -> list[Edit] | None:
        value = _value(index, name) if index.broken is None else None
        if not isinstance(value, ast.Dict) or not name.startswith("_") or None in value.keys:
            return None
        looked_up = [_look_up(index, unit, around) for unit, around in _uses(index, name)]
        unit = index.bindings[name].unit
        edits = [edit for made in value.values if (edit := _deferred(index, unit, made)) is not None]
        ends = [end for end in looked_up if end is not None]
        if len(edits) != len(value.values) or len(ends) != len(looked_up) or not edits or not ends:
            return None
        return proven(index, [*edits, *(Edit(Span(end, end), "()") for end in ends)])

    return build


def _value(index: FileIndex, name: str) -> ast.expr | None:
    """What the one top-level assignment of a name gives it."""
    binding = index.bindings.get(name)
    if binding is None or binding.rebound or not isinstance(binding.node, ast.expr):
        return None
    return binding.node


def _means_else(index: FileIndex, use: Place, value: ast.expr) -> bool:
    """Whether a name of the constructor is a local where it would go, is bound twice, or is itself an object that was made once."""
    read = {node.id for node in walk(value) if isinstance(node, ast.Name)}
    function = function_at(use)
    local = _bound_in(function) if function is not None else set[str]()
    bound = [index.bindings[name] for name in read if name in index.bindings]
    made = [b for b in bound if b.rebound or isinstance(b.node, ast.Call | ast.List | ast.Dict | ast.Subscript)]
    return function is None or bool(made) or bool(read & local)


def _bound_in(function: Function) -> set[str]:
    nodes = list(walk(function))
    bound = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return bound | {n.arg for n in nodes if isinstance(n, ast.arg)}


def _uses(index: FileIndex, name: str) -> Iterator[tuple[Unit, list[ast.AST]]]:
    """Every place of the file that reads a name, or spells it in a string, as the nodes from a statement down to it."""
    headers = {id(cls.node) for _, cls in index.classes() if cls.members}
    for unit in index.first_lines:
        if name in unit.text:
            for root in unit.nodes:
                if id(root) not in headers:
                    yield from ((unit, around) for around in _below(root, name, []))


def _below(node: ast.AST, name: str, above: list[ast.AST]) -> Iterator[list[ast.AST]]:
    around = [*above, node]
    match node:
        case ast.Name(id=read, ctx=ast.Load() | ast.Del()) if read == name:
            yield around
        case ast.Constant(value=str(text)) if text == name:
            yield around
        case ast.Global(names=names) if name in names:
            yield around
        case _:
            pass
    for child in children(node):
        yield from _below(child, name, around)


def _look_up(index: FileIndex, unit: Unit, around: list[ast.AST]) -> int | None:
    """Where `NAME[key]` ends, if that is what stands there: read, in a function that does not bind the name itself."""
    node, lookup = around[-1], around[-2]
    if not isinstance(node, ast.Name) or not isinstance(lookup, ast.Subscript) or lookup.value is not node:
        return None
    if not isinstance(lookup.ctx, ast.Load) or any(isinstance(one, ast.JoinedStr) for one in around):
        return None
    if any(isinstance(one, Function) and node.id in _bound_in(one) for one in around):
        return None
    return index.span(Place(unit, unit.span(lookup))).end


def _deferred(index: FileIndex, unit: Unit, made: ast.expr) -> Edit | None:
    """`nn.ReLU()` becomes `nn.ReLU`, and `nn.PReLU(8)` `lambda: nn.PReLU(8)`."""
    if not isinstance(made, ast.Call) or not is_plain_construction(made):
        return None
    span = index.span(Place(unit, unit.span(made)))
    if made.args or made.keywords:
        return Edit(Span(span.start, span.start), "lambda: ")
    head = unit.span(made.func)
    return Edit(Span(span.start + head.end - head.start, span.end), "")
