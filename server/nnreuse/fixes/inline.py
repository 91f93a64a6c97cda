"""Inlining: a local instance that is used at several places, or again and again in a loop, is constructed at each of them."""

import ast
from collections.abc import Iterator, Sequence

from nnreuse.fixes.construction import must_be_plain
from nnreuse.fixes.places import Function, chain, expression_at, function_at, siblings, statement_at
from nnreuse.fixes.writing import Build, Lines, Refused, closing_the_gap, current, lines_of, proven
from nnreuse.syntax.edits import Edit
from nnreuse.syntax.index import FileIndex
from nnreuse.syntax.source import split_lines
from nnreuse.syntax.tree import walk
from nnreuse.syntax.units import Place, Unit

_CHANGING = frozenset(
    "append extend insert pop remove clear update setdefault popitem reverse sort add discard".split()
)
_Deferred = ast.Lambda | Function | ast.ClassDef


def inline_instance(unit: Unit, definition: Place, uses: Sequence[Place]) -> Build:
    """`name = E` goes, and E stands in place of the name at each use; these must be all the uses there are.

    Full-line comments above the definition stay; one on its own line refuses the fix.
    """

    def build(index: FileIndex) -> list[Edit] | None:
        if definition.unit is not unit or not current(index, [definition, *uses]) or not uses:
            return None
        value = movable(definition, uses)
        removal = deletion(index, definition)
        if value is None or removal is None:
            return None
        edits = [Edit(index.span(use), written_at(definition, use, value)) for use in uses]
        return proven(index, [removal, *edits])

    return build


def definition_of(place: Place, name: str) -> Place | None:
    """The statement that binds a local of the function around a place, where just one does."""
    function = function_at(place)
    if function is None:
        return None
    found = [n for n in walk(function) if isinstance(n, ast.stmt) and _bound(n) is not None and _bound(n) == name]
    return Place(place.unit, place.unit.span(found[0])) if len(found) == 1 else None


def _bound(statement: ast.stmt) -> str | None:
    """The name of `name = value`."""
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target = statement.targets[0]
    elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
        target = statement.target
    else:
        return None
    return target.id if isinstance(target, ast.Name) else None


def movable(definition: Place, uses: Sequence[Place]) -> ast.expr | None:
    """The constructor of `name = E` if E gives at each use, and nowhere else, what it gives at the definition; else None."""
    statement = statement_at(definition)
    function = function_at(definition)
    if not isinstance(statement, ast.Assign | ast.AnnAssign) or function is None or statement.value is None:
        return None
    name, value = _bound(statement), statement.value
    if name is None:
        return None
    must_be_plain(function, value, locals_only=True)
    if not _are_all(function, definition, uses, name) or any(map(_is_deferred, uses)):
        raise Refused(f"`{name}` is used for something else as well")
    between = _between(definition, statement, uses)
    if between is None:
        raise Refused(f"`{name}` is used in another block than the one that makes it")
    changed = reads(value) & set().union(*(changes(s) for s in between))
    if changed:
        raise Refused(f"`{min(changed)}`, which the constructor is given, changes before the use")
    return value


def _are_all(function: Function, definition: Place, uses: Sequence[Place], name: str) -> bool:
    """Whether the name is spoken of at its definition and the uses only."""
    if any(isinstance(n, ast.Global | ast.Nonlocal) and name in n.names for n in walk(function)):
        return False
    nodes = [n for n in walk(function) if isinstance(n, ast.Name) and n.id == name]
    found = [expression_at(use) for use in uses]
    loads = [n for n in nodes if isinstance(n.ctx, ast.Load)]
    return len(nodes) == len(loads) + 1 and len(loads) == len(uses) and all(any(n is f for f in found) for n in loads)


def _is_deferred(use: Place) -> bool:
    """Whether the use is evaluated in another function than the one around it."""
    nodes = chain(use)
    inner = max((i for i, n in enumerate(nodes) if isinstance(n, Function)), default=0)
    outer = next((i for i, n in enumerate(nodes) if isinstance(n, Function)), 0)
    return inner != outer or any(isinstance(n, _Deferred) for n in nodes[inner + 1 :])


def _between(definition: Place, statement: ast.stmt, uses: Sequence[Place]) -> list[ast.stmt] | None:
    """The statements after the definition, in its block, up to the last that holds a use; None where a use stands elsewhere."""
    block = siblings(definition.unit, statement)
    after = block[block.index(statement) + 1 :] if block else []
    holding: list[int] = []
    for use in uses:
        number = next((i for i, s in enumerate(after) if definition.unit.span(s).contains(use.span)), None)
        if number is None or use.unit is not definition.unit:
            return None
        holding.append(number)
    return after[: max(holding) + 1]


def unchanged(definition: Place, use: Place, names: set[str], bound: set[str]) -> bool:
    """Whether no statement between a local's definition and a use changes any of the names; it may bind `bound`, once each."""
    statement = statement_at(definition)
    between = _between(definition, statement, [use]) if statement is not None and not _is_deferred(use) else None
    if between is None:
        return False
    plain = [s for s in between if _bound(s) not in bound]
    return not names & set().union(*(changes(s) for s in plain))


def reads(value: ast.expr) -> set[str]:
    """What a construction reads: names, and attributes of self."""
    return {name for node in walk(value) if (name := _name(node))}


def changes(statement: ast.stmt) -> Iterator[str]:
    """What a statement binds, or may change in place."""
    for node in walk(statement):
        match node:
            case ast.Name(ctx=ast.Store() | ast.Del()) | ast.Attribute(ctx=ast.Store() | ast.Del()):
                yield _name(node)
            case ast.Subscript(value=owner, ctx=ast.Store() | ast.Del()):
                yield _name(owner)
            case ast.arg(arg=name) | ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.alias(name=name, asname=other):
                yield other or name.split(".")[0]
            case ast.Call(func=ast.Attribute(value=owner, attr=method)) if method in _CHANGING:
                yield _name(owner)
            case _:
                pass


def _name(node: ast.AST) -> str:
    """`x` for a name, `x.y` for an attribute of one and for whatever is below that."""
    while isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.value, ast.Attribute | ast.Subscript):
        node = node.value
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return f"{node.value.id}.{node.attr}"
    owner = node.value if isinstance(node, ast.Subscript) else node
    return owner.id if isinstance(owner, ast.Name) else ""


def deletion(index: FileIndex, definition: Place) -> Edit | None:
    """The removal of a statement's lines; None where a comment would go with them, or nothing would be left of its block."""
    statement = statement_at(definition)
    lines: Lines | None = lines_of(index, definition)
    if statement is not None and lines is not None and lines.comment:
        raise Refused("a comment stands beside the definition, and would go with it")
    if statement is None or lines is None or len(siblings(definition.unit, statement)) < 2:
        return None
    return Edit(closing_the_gap(index, lines.span), "")


def written_at(definition: Place, use: Place, value: ast.expr) -> str:
    """The constructor's text, its further lines moved as far to the right as the use's line is from the definition's."""
    text = definition.unit.segment(value)
    if isinstance(value, ast.IfExp):
        text = f"({text})"
    first, *rest = split_lines(text)
    before = _indentation(definition)
    spans_lines = any(isinstance(n, ast.Constant | ast.JoinedStr) and n.end_lineno != n.lineno for n in walk(value))
    if spans_lines or not all(line.startswith(before) for line in rest):
        return text
    return first + "".join(_indentation(use) + line[len(before) :] for line in rest)


def _indentation(place: Place) -> str:
    line = place.unit.lines[place.unit.row(place.span.start)[0]]
    return line[: len(line) - len(line.lstrip())]
