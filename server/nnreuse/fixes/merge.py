"""Merging: attributes that hold equal modules become one attribute, for modules that carry nothing."""

import ast
from collections.abc import Sequence

from nnreuse.fixes.construction import is_plain_construction
from nnreuse.fixes.places import function_at, siblings
from nnreuse.fixes.uses import Use, named_elsewhere, set_by_name, set_in_subclass, uses
from nnreuse.fixes.writing import Build, current, lines_of, proven
from nnreuse.syntax.edits import Edit
from nnreuse.syntax.index import FileIndex
from nnreuse.syntax.units import ClassUnits, Place


def merge(owner: ClassUnits, names: Sequence[str]) -> Build:
    """The first attribute is used in place of all others, whose definitions go. They must be defined once, and alike."""

    def build(index: FileIndex) -> list[Edit] | None:
        stores = definitions_in_block(index, owner, names)
        if stores is None or len({ast.dump(_value(one)) for one in stores}) > 1:
            return None
        edits: list[Edit] = []
        for name, store in zip(names[1:], stores[1:], strict=True):
            lines = lines_of(index, Place(store.unit, store.unit.span(store.statement)))
            if lines is None or lines.comment:
                return None
            edits.append(Edit(lines.span, ""))
            loads = [use for use in uses(owner, name) if not use.stores]
            edits += [Edit(index.span(use.place), f"self.{names[0]}") for use in loads]
        return proven(index, edits)

    return build


def definitions_in_block(index: FileIndex, owner: ClassUnits, names: Sequence[str]) -> list[Use] | None:
    """The one `self.name = Constructor(…)` of each name, in this order in one block of one method; None where anything
    else binds or names them."""
    stores: list[Use] = []
    for name in names:
        found = list(uses(owner, name))
        if not current(index, [use.place for use in found]) or not all(use.readable for use in found):
            return None
        own = [use for use in found if use.stores]
        if len(own) != 1 or not _is_definition(own[0]) or named_elsewhere(index, owner, name):
            return None
        if set_by_name(owner, name) or set_in_subclass(index, owner, name):
            return None
        stores += own
    first = stores[0]
    block = siblings(first.unit, first.statement)
    order = [block.index(one.statement) for one in stores if one.statement in block]
    return stores if len(order) == len(stores) and order == sorted(order) else None


def _is_definition(use: Use) -> bool:
    statement = use.statement
    if not isinstance(statement, ast.Assign) or statement.targets != [use.node]:
        return False
    function = function_at(Place(use.unit, use.unit.span(statement)))
    return function is not None and function.name == "__init__" and is_plain_construction(statement.value)


def _value(use: Use) -> ast.expr:
    statement = use.statement
    assert isinstance(statement, ast.Assign)
    return statement.value
