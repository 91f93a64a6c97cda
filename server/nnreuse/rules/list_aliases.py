"""List aliases: two containers of a class that hold the same instances, because one list was given to both."""

import ast
from collections import Counter
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
    for creation, members in _overlapping(list(_candidates(trace))):
        instance, node = creation.instance, creation.node
        known = next(
            (one for one in made if not exclusive(one[0].path, creation.path) and _alike(trace, one[1], members)), None
        )
        if known is not None and instance.place is not None and isinstance(node, ast.Call) and node.args:
            first, before = known
            if first.node is not node:
                unit = instance.place.unit
                place = Place(unit, unit.span(node.args[0]))
                carrying = tuple(one for one in members if matters(trace, one, inline=False))
                yield Alias(first, creation, place, carrying, before != members)
        made.append((creation, members))


def _candidates(trace: Trace) -> Iterator[tuple[Creation, list[Instance]]]:
    """The containers that the class's own constructor makes and holds, with their members."""
    units = own_units(trace)
    for creation in trace.creations:
        instance = creation.instance
        if creation.phase != "constructor" or instance.cls is not None or instance.elements is None:
            continue
        if instance.place is not None and instance.place.unit in units and trace.paths_of(instance):
            yield creation, _members(instance)


def _overlapping(containers: list[tuple[Creation, list[Instance]]]) -> list[tuple[Creation, list[Instance]]]:
    """Those that have a member in common with another: what members carry is asked of these alone, it runs constructors."""
    holders = Counter(ident for _, members in containers for ident in {one.ident for one in members})
    return [(c, members) for c, members in containers if any(holders[one.ident] > 1 for one in members)]


def _alike(trace: Trace, first: list[Instance], second: list[Instance]) -> bool:
    """Whether two containers hold the same instances, those that carry nothing aside. Runs as few constructors as tell."""
    held, also = {one.ident for one in first}, {one.ident for one in second}
    both = [one for one in first if one.ident in also]
    rest = [one for one in first if one.ident not in also] + [one for one in second if one.ident not in held]
    if not both or any(matters(trace, one, inline=False) for one in rest):
        return False
    return any(matters(trace, one, inline=False) for one in both)


def _members(container: Instance) -> list[Instance]:
    match container.elements:
        case Items():
            values = list(container.elements.content.items)
        case Mapping():
            values = list(container.elements.entries.values())
        case None:
            return []
    return [one for value in values for one in alternatives(value) if isinstance(one, Instance) and one.is_module]
