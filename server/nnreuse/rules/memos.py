"""Memos: dicts of a function that remember what it has made, which hold nothing at a position."""

import ast

from nnreuse.fixes.places import chain
from nnreuse.syntax.once import once
from nnreuse.syntax.tree import walk
from nnreuse.syntax.units import Place, Unit


def is_memo(place: Place) -> bool:
    """Whether something is only remembered here: `cache[key] = made`, where the function asks `key in cache` too."""
    match chain(place)[-2:]:
        case [ast.Assign(targets=[ast.Subscript(value=held)]), _]:
            return ast.unparse(held) in _asked_for(place.unit)
        case _:
            return False


@once
def _asked_for(unit: Unit) -> frozenset[str]:
    """What a unit asks for the keys of: `key in cache`, `key not in cache`, `cache.get(key)`."""
    found: set[str] = set()
    for node in (node for root in unit.nodes for node in walk(root)):
        match node:
            case ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[held]):
                found.add(ast.unparse(held))
            case ast.Call(func=ast.Attribute(value=held, attr="get")):
                found.add(ast.unparse(held))
            case _:
                pass
    return frozenset(found)
