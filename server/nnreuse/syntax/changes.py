"""Changes: what an edit of a file has changed of what it says. What only looked at other things stays true.

An edit inside a method leaves the class what it was, with other code in one unit; one of an import concerns the names it binds.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from nnreuse.syntax.index import Binding, FileIndex, Import
from nnreuse.syntax.once import once
from nnreuse.syntax.units import ClassUnits, Part, Unit, leaves


@dataclass(slots=True)
class Change:
    """From one index of a file to the next."""

    units: set[Unit] = field(default_factory=set[Unit])
    """Those that are no longer there."""
    new: set[Unit] = field(default_factory=set[Unit])
    classes: dict[ClassUnits, ClassUnits] = field(default_factory=dict[ClassUnits, ClassUnits])
    """The classes that have the members they had, with other code in methods, docstrings or comments, and what they are now."""
    names: set[str] = field(default_factory=set[str])
    """The top-level names that mean something else, or nothing, now."""
    imports: bool = False
    stars: bool = False
    effects: bool = False
    """Whether it imports something else, by `*` perhaps; whether other statements write to what names mean."""

    @property
    def is_nothing(self) -> bool:
        return not self.units and not self.new and not self.classes


def changed(old: FileIndex, new: FileIndex) -> Change:
    """What is different in a new index of a file. Units that were not read anew are the same objects."""
    found = Change()
    before, after = _apart(old.parts, new.parts)
    was, now = {*leaves(before)}, {*leaves(after)}
    found.units, found.new = was - now, now - was
    by_header = {part.header: part for part in after if isinstance(part, ClassUnits)}
    only_code = old.frame == new.frame
    for part in before:
        if isinstance(part, ClassUnits):
            other = by_header.get(part.header)
            inside = _same_members(part, other) if other is not None else None
            only_code = only_code and inside is not None
            found.classes.update(inside or {})
    if not only_code:
        _compare_names(old, new, found)
    return found


def _compare_names(old: FileIndex, new: FileIndex, found: Change) -> None:
    for name in old.bindings.keys() | new.bindings.keys():
        if not _is_same(old.bindings.get(name), new.bindings.get(name), found.classes):
            found.names.add(name)
    found.stars = old.star_imports != new.star_imports
    found.imports = found.stars or _imports(old) != _imports(new)
    found.effects = old.effects != new.effects or old.writers != new.writers


def _imports(index: FileIndex) -> dict[str, Import]:
    return {name: one.node for name, one in index.bindings.items() if isinstance(one.node, Import)}


def _is_same(old: Binding | None, new: Binding | None, classes: dict[ClassUnits, ClassUnits]) -> bool:
    if old is None or new is None:
        return False
    if isinstance(old.node, Import):
        return old.node == new.node
    if isinstance(old.node, ClassUnits):
        return classes.get(old.node, old.node) is new.node
    return old.node is new.node


def _apart(old: list[Part], new: list[Part]) -> tuple[list[Part], list[Part]]:
    """Both without what they have in common at their ends."""
    head, least = 0, min(len(old), len(new))
    while head < least and old[head] is new[head]:
        head += 1
    tail = 0
    while tail < least - head and old[-1 - tail] is new[-1 - tail]:
        tail += 1
    return old[head : len(old) - tail], new[head : len(new) - tail]


def _same_members(old: ClassUnits, new: ClassUnits) -> dict[ClassUnits, ClassUnits] | None:
    """For the class and those inside it what they are now; None where more is different than code, docstrings and comments."""
    if old.header is not new.header:
        return None
    before, after = (list(_speaking(one.members)) for one in (old, new))
    if len(before) != len(after):
        return None
    found = {old: new}
    for one, other in zip(before, after, strict=True):
        if one is other:
            continue
        if isinstance(one, ClassUnits) and isinstance(other, ClassUnits):
            inside = _same_members(one, other)
            if inside is None:
                return None
            found |= inside
        elif isinstance(one, ClassUnits) or isinstance(other, ClassUnits) or _defined(one) != _defined(other):
            return None
    return found


def _speaking(parts: list[Part]) -> Iterator[Part]:
    return (part for part in parts if isinstance(part, ClassUnits) or not part.is_silent)


@once
def _defined(unit: Unit) -> object:
    """What a member says of its class, whatever its code does: equal for functions of one name and equal decorators."""
    match unit.nodes:
        case [ast.FunctionDef() | ast.AsyncFunctionDef() as node]:
            return type(node), node.name, [ast.dump(one) for one in node.decorator_list]
        case _:
            return object()
