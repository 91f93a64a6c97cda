"""List aliases: two containers of a class that hold the same instances, because one list was given to both."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from nnreuse.rules.placements import matters
from nnreuse.rules.reuse import own_units
from nnreuse.syntax.units import Place
from nnreuse.tracing.conditions import exclusive
from nnreuse.tracing.trace import Creation, Trace
from nnreuse.tracing.values import Instance, Items, Mapping, alternatives


@dataclass(frozen=True, slots=True)
class Alias:
    """`second` holds what `first` holds; `place` is what it was given. `reordered`: not at the same indices."""

    first: Creation
    second: Creation
    place: Place
    members: tuple[Instance, ...]
    reordered: bool


def aliases(trace: Trace) -> Iterator[Alias]:
    """Containers of the class's own constructor whose members with weights are those of an earlier one."""
    made: list[tuple[Creation, list[Instance]]] = []
    for creation in trace.creations:
        instance, node = creation.instance, creation.node
        if creation.phase != "constructor" or instance.cls is not None or instance.elements is None:
            continue
        if instance.place is None or instance.place.unit not in own_units(trace) or not trace.paths_of(instance):
            continue
        members = [one for one in _members(instance) if matters(trace, one, inline=False)]
        first = next((c for c, known in made if _same(known, members) and not exclusive(c.path, creation.path)), None)
        if first is not None and isinstance(node, ast.Call) and node.args and first.node is not node:
            unit = instance.place.unit
            place = Place(unit, unit.span(node.args[0]))
            reordered = _members(first.instance) != _members(instance)
            yield Alias(first, creation, place, tuple(members), reordered)
        made.append((creation, members))


def _same(known: list[Instance], members: list[Instance]) -> bool:
    return bool(members) and {one.ident for one in known} == {one.ident for one in members}


def _members(container: Instance) -> list[Instance]:
    match container.elements:
        case Items():
            values = list(container.elements.content.items)
        case Mapping():
            values = list(container.elements.entries.values())
        case None:
            return []
    return [one for value in values for one in alternatives(value) if isinstance(one, Instance) and one.is_module]
