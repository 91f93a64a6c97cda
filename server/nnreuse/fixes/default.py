"""Defaults: `act=nn.PReLU()` becomes `act=None`, and the function makes one for each call that gives none."""

import ast
from dataclasses import dataclass

from nnreuse.fixes.construction import is_plain_construction
from nnreuse.fixes.places import Function, chain
from nnreuse.fixes.uses import class_of, uses
from nnreuse.fixes.writing import Build, current, lines_of, proven
from nnreuse.syntax.edits import Edit
from nnreuse.syntax.index import FileIndex, Import
from nnreuse.syntax.source import split_lines
from nnreuse.syntax.span import Span
from nnreuse.syntax.tree import walk
from nnreuse.syntax.units import Place, leaves

_Testing = ast.If | ast.IfExp | ast.While | ast.Assert


@dataclass(frozen=True, slots=True)
class Default:
    """The default value of one parameter of a function."""

    function: Function
    parameter: ast.arg
    value: ast.expr


def default_around(place: Place) -> Default | None:
    """The parameter in whose default value a place stands; None for what a lambda in it makes later, and anywhere else."""
    nodes = chain(place)
    for function, arguments, *below in (nodes[n:] for n in range(len(nodes) - 2)):
        if isinstance(function, Function) and isinstance(arguments, ast.arguments):
            if any(isinstance(node, ast.Lambda | ast.GeneratorExp) for node in below):
                return None
            return next((d for d in defaults_of(function) if d.value is below[0]), None)
    return None


def defaults_of(function: Function) -> list[Default]:
    """The parameters of a function that have a default value."""
    arguments = function.args
    named = [*arguments.posonlyargs, *arguments.args]
    pairs = list(zip(named[len(named) - len(arguments.defaults) :], arguments.defaults, strict=True))
    pairs += [(a, d) for a, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if d is not None]
    return [Default(function, parameter, value) for parameter, value in pairs]


def made_when_missing(place: Place) -> Build:
    """`None` in place of the default value at `place`, and `if act is None: act = …` above what first speaks of the parameter.

    None where the function or its class already asks whether the parameter is there, so that None means something else.
    """

    def build(index: FileIndex) -> list[Edit] | None:
        default = default_around(place) if current(index, [place]) else None
        if default is None or not _is_movable(index, place, default) or _means_something(index, place, default):
            return None
        inserted = _inserted(index, place, default)
        annotated = _annotated(index, place, default.parameter.annotation)
        if inserted is None or annotated is None:
            return None
        return proven(index, [Edit(index.span(place), "None"), inserted, *annotated])

    return build


def _is_movable(index: FileIndex, place: Place, default: Default) -> bool:
    """Whether the default value means in the function's body what it means in its head."""
    made = default.value.elts if isinstance(default.value, ast.Tuple | ast.List) else [default.value]
    if not made or not all(map(is_plain_construction, made)):
        return False
    read = {node.id for node in walk(default.value) if isinstance(node, ast.Name)}
    bound = {a.arg for a in walk(default.function.args) if isinstance(a, ast.arg)}
    bound |= {n.id for n in walk(default.function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    owner = class_of(index, place)
    if owner is not None:
        bound |= {n.id for _, s in owner.statements() for n in _bound_in_body(s)}
    rebound = {name for name in read if name in index.bindings and index.bindings[name].rebound}
    return not read & (bound | rebound)


def _bound_in_body(statement: ast.stmt) -> list[ast.Name]:
    if isinstance(statement, Function | ast.ClassDef):
        return []
    return [n for n in walk(statement) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]


def _means_something(index: FileIndex, place: Place, default: Default) -> bool:
    """Whether the function tests the parameter, or its class the attribute it is kept as, or a call in the file gives None."""
    name = default.parameter.arg
    if any(_tests(node, name) for node in walk(default.function)):
        return True
    kept = [
        target.attr
        for node in walk(default.function)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Name) and node.value.id == name
        for target in node.targets
        if isinstance(target, ast.Attribute)
    ]
    owner = class_of(index, place)
    asked = [use for attribute in kept if owner is not None for use in uses(owner, attribute)]
    if any(_is_tested_in(use.around[-1], use.node) for use in asked if use.around):
        return True
    return any(
        isinstance(node, ast.keyword) and node.arg == name and _is_none(node.value)
        for unit in index.first_lines
        if name in unit.text
        for root in unit.nodes
        for node in walk(root)
    )


def _tests(node: ast.AST, name: str) -> bool:
    return any(isinstance(part, ast.Name) and part.id == name for part in _tested(node))


def _is_tested_in(node: ast.AST, part: ast.expr) -> bool:
    return any(one is part for one in _tested(node))


def _tested(node: ast.AST) -> list[ast.expr]:
    """The expressions whose truth or identity a node asks for."""
    match node:
        case ast.Compare(left=left, comparators=comparators):
            return [left, *comparators]
        case ast.BoolOp(values=values):
            return values
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return [operand]
        case ast.If(test=test) | ast.IfExp(test=test) | ast.While(test=test) | ast.Assert(test=test):
            return [test]
        case _:
            return []


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _inserted(index: FileIndex, place: Place, default: Default) -> Edit | None:
    name, body = default.parameter.arg, default.function.body
    first = next((s for s in body if any(_speaks_of(node, name) for node in walk(s))), None)
    if first is None:
        return None
    lines = lines_of(index, Place(place.unit, place.unit.span(first)))
    head = place.unit.lines[place.unit.row(place.unit.span(default.function).start)[0]]
    outer = head[: len(head) - len(head.lstrip())]
    if lines is None or not lines.indentation.startswith(outer) or lines.indentation == outer:
        return None
    inner = lines.indentation + lines.indentation[len(outer) :]
    value = _moved(place, inner)
    if value is None:
        return None
    at = Span(lines.span.start, lines.span.start)
    test = f"{lines.indentation}if {name} is None:{lines.ending}"
    return Edit(at, f"{test}{inner}{name} = {value}{lines.ending}")


def _speaks_of(node: ast.AST, name: str) -> bool:
    """Whether a node may read a parameter: by its name, or together with all locals."""
    return isinstance(node, ast.Name) and node.id in (name, "locals", "vars", "eval", "exec")


def _moved(place: Place, inner: str) -> str | None:
    """The text of the default value, its further lines as far from the first as they were; None where a comment or a string spans them."""
    first, *rest = split_lines(place.text)
    if not rest:
        return first
    line = place.unit.lines[place.unit.row(place.span.start)[0]]
    outer = line[: len(line) - len(line.lstrip())]
    if "#" in place.text or '"""' in place.text or "'''" in place.text:
        return None
    if not all(one.startswith(outer) for one in rest):
        return None
    return first + "".join(inner + one[len(outer) :] for one in rest)


def _annotated(index: FileIndex, place: Place, annotation: ast.expr | None) -> list[Edit] | None:
    """The edits that let the annotation say that None may be given; None where it is written in a way that is not known."""
    if annotation is None:
        return []
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        return []  # a text, which nothing evaluates
    if not isinstance(annotation, ast.Name | ast.Attribute | ast.Subscript | ast.BinOp):
        return None
    text = place.unit.segment(annotation)
    if "Optional" in text or "None" in text or text.rsplit(".", 1)[-1] == "Any":
        return []
    span = index.span(Place(place.unit, place.unit.span(annotation)))
    start, end = Span(span.start, span.start), Span(span.end, span.end)
    optional = _optional(index)
    if optional is not None:
        return [Edit(start, f"{optional}["), Edit(end, "]")]
    return [Edit(end, " | None")] if _runs_unions(index, annotation) else []  # `act: nn.Module = None` runs everywhere


def _optional(index: FileIndex) -> str | None:
    """How the file may write `typing.Optional`; None where it does not import it."""
    for name, binding in index.bindings.items():
        if isinstance(binding.node, Import) and not binding.node.level:
            if binding.node.target == "typing.Optional":
                return name
            if binding.node.target == "typing":
                return f"{name}.Optional"
    return None


def _runs_unions(index: FileIndex, annotation: ast.expr) -> bool:
    """Whether `X | None` can be evaluated where the file runs: it is not evaluated at all, or the file needs Python 3.10 already."""
    late = index.bindings.get("annotations")
    if late is not None and isinstance(late.node, Import) and late.node.target == "__future__.annotations":
        return True
    if isinstance(annotation, ast.BinOp):
        return True
    roots = (node for unit in leaves(index.parts) for node in unit.nodes if "|" in unit.text or "match" in unit.text)
    return any(_needs_3_10(node) for root in roots for node in walk(root))


def _needs_3_10(node: ast.AST) -> bool:
    """Whether it is a `match` statement, or an annotation that is a union."""
    match node:
        case ast.Match():
            return True
        case ast.arg(annotation=ast.BinOp(op=ast.BitOr())) | ast.AnnAssign(annotation=ast.BinOp(op=ast.BitOr())):
            return True
        case (
            ast.FunctionDef(returns=ast.BinOp(op=ast.BitOr())) | ast.AsyncFunctionDef(returns=ast.BinOp(op=ast.BitOr()))
        ):
            return True
        case _:
            return False
