"""Aliases: a second attribute for one instance is given an instance of its own."""

import ast
from collections.abc import Iterator

from nnreuse.fixes.construction import is_plain_construction, takes_an_instance
from nnreuse.fixes.inline import definition_of, reads, unchanged, written_at
from nnreuse.fixes.places import Function, chain, expression_at, function_at, is_self, statement_at
from nnreuse.fixes.writing import Build, below, current, lines_of, proven
from nnreuse.syntax.edits import Edit
from nnreuse.syntax.index import FileIndex
from nnreuse.syntax.span import Span
from nnreuse.syntax.tree import walk
from nnreuse.syntax.units import Place

_Repeated = ast.For | ast.AsyncFor | ast.While


def constructed_again(alias: Place, definition: Place) -> Build:
    """`self.b = self.a` at `alias` becomes `self.b = E`, where `definition` is `self.a = E`.

    None where anything between the two statements speaks of the first attribute, or binds what E reads.
    """

    def build(index: FileIndex) -> list[Edit] | None:
        if not current(index, [alias, definition]) or alias.unit is not definition.unit:
            return None
        second, first, function = statement_at(alias), statement_at(definition), function_at(alias)
        if not isinstance(second, ast.Assign | ast.AnnAssign) or not isinstance(first, ast.Assign | ast.AnnAssign):
            return None
        if function is None or function is not function_at(definition) or second.value is None or first.value is None:
            return None
        if not _is_again(function, definition, alias, first.value, second.value):
            return None
        use = Place(alias.unit, alias.unit.span(second.value))
        return proven(index, [Edit(index.span(use), written_at(definition, use, first.value))])

    return build


def listed_again(use: Place) -> Build:
    """In an expression that takes a local list, `*reversed(layers)`, the list's display stands in place of its name.

    None where anything between the two changes the list, under whatever name, or binds what the display reads.
    """

    def build(index: FileIndex) -> list[Edit] | None:
        whole, function = expression_at(use) if current(index, [use]) else None, function_at(use)
        for name in walk(whole) if whole is not None else ():
            if not isinstance(name, ast.Name) or function is None:
                continue
            place = Place(use.unit, use.unit.span(name))
            found = _display(place, name.id)
            if found is None:
                continue
            definition, value, aliases = found
            parts = value.elts if isinstance(value, ast.List) else [value.elt]
            if not all(is_plain_construction(one) and not takes_an_instance(function, one) for one in parts):
                return None
            aliases |= {n for n, other in _copies(function) if other in aliases}
            if not unchanged(definition, place, reads(value) | aliases, aliases):
                return None
            return proven(index, [Edit(index.span(place), written_at(definition, place, value))])
        return None

    return build


def _display(use: Place, name: str) -> tuple[Place, ast.List | ast.ListComp, set[str]] | None:
    """Where a local's list is written out, its display, and the names that it has on the way."""
    names: set[str] = set()
    while name not in names:
        names.add(name)
        definition = definition_of(use, name)
        statement = statement_at(definition) if definition is not None else None
        value = statement.value if isinstance(statement, ast.Assign | ast.AnnAssign) else None
        if definition is not None and isinstance(value, ast.List | ast.ListComp):
            return definition, value, names
        if not isinstance(value, ast.Name):
            return None
        name = value.id
    return None


def _copies(function: Function) -> Iterator[tuple[str, str]]:
    """The assignments `b = a` of a function, in text order."""
    for node in walk(function):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Name):
            yield from ((target.id, node.value.id) for target in node.targets if isinstance(target, ast.Name))


def constructed_for_each(statement: Place) -> Build:
    """`self.a = self.b = E` becomes a line for each: `self.a = E`, `self.b = E`."""

    def build(index: FileIndex) -> list[Edit] | None:
        node = statement_at(statement) if current(index, [statement]) else None
        function, lines = function_at(statement), lines_of(index, statement)
        if not isinstance(node, ast.Assign) or function is None or lines is None or lines.comment:
            return None
        if not is_plain_construction(node.value) or takes_an_instance(function, node.value) or "\n" in statement.text:
            return None
        first, *others = (statement.unit.segment(target) for target in node.targets)
        value = statement.unit.segment(node.value)
        start, end = statement.unit.span(node.targets[1]).start, statement.unit.span(node.value).start
        shift = index.span(statement).start - statement.span.start
        removed = Edit(Span(start + shift, end + shift), "")
        added = [f"{target} = {value}" for target in others]
        return proven(index, [removed, below(index, lines, added)]) if first else None

    return build


def _is_again(function: Function, definition: Place, alias: Place, value: ast.expr, taken: ast.expr) -> bool:
    unit = alias.unit
    if not is_plain_construction(value) or takes_an_instance(function, value) or expression_at(alias) is taken:
        return False
    if any(isinstance(node, _Repeated) for place in (definition, alias) for node in chain(place)):
        return False
    if definition.span.end > alias.span.start or not isinstance(taken, ast.Attribute):
        return False
    read = {ast.unparse(node) for node in walk(value) if isinstance(node, ast.Name | ast.Attribute)}
    for node in walk(function):
        if not isinstance(node, ast.Name | ast.Attribute | ast.Call):
            continue
        if not definition.span.end <= unit.span(node).start < alias.span.start:
            continue
        if isinstance(node, ast.Attribute) and node.attr == taken.attr and is_self(node.value):
            return False
        if isinstance(node, ast.Call):
            if any(map(is_self, node.args)) or isinstance(node.func, ast.Attribute) and is_self(node.func.value):
                return False
        elif not isinstance(node.ctx, ast.Load) and ast.unparse(node) in read:
            return False
    return True
