"""What forward constructs is constructed once, at the end of the constructor, and kept on self."""

import ast
from collections.abc import Sequence

from nnreuse.fixes.classbody import constructor_of
from nnreuse.fixes.construction import is_plain_construction
from nnreuse.fixes.places import Function, chain, is_self
from nnreuse.fixes.uses import class_of, uses
from nnreuse.fixes.writing import Build, Lines, Refused, below, current, lines_of, proven
from nnreuse.syntax.edits import Edit
from nnreuse.syntax.index import FileIndex
from nnreuse.syntax.tree import walk
from nnreuse.syntax.units import ClassUnits, Place, Unit

_Repeated = (
    ast.For | ast.AsyncFor | ast.While | ast.comprehension | ast.ListComp | ast.GeneratorExp | ast.DictComp | ast.Lambda
)


Named = tuple[Place, str]
"""A constructor call, and the attribute that is to hold what it makes."""


def made_in_constructor(place: Place, name: str, others: Sequence[Named] = ()) -> Build:
    """`self.name` in place of a constructor call, and `self.name = …` at the constructor's end; so too for those `others` that can.

    Refused where the call depends on anything but constants, module-level names and attributes that the constructor sets once.
    """

    def build(index: FileIndex) -> list[Edit] | None:
        edits = _moved(index, [(place, name)])
        if not edits or not others:
            return proven(index, edits) if edits else None
        movable = [one for one in others if _can_move(index, one)]
        ordered = sorted([(place, name), *movable], key=lambda one: index.span(one[0]))
        return proven(index, _moved(index, ordered) or edits)

    return build


def _can_move(index: FileIndex, named: Named) -> bool:
    try:
        return bool(_moved(index, [named]))
    except Refused:
        return False


def _moved(index: FileIndex, named: Sequence[Named]) -> list[Edit] | None:
    """The edits that move calls of one class to its constructor's end, in their order."""
    edits: list[Edit] = []
    added: list[str] = []
    below_it: Lines | None = None
    for place, name in named:
        below_it = _end_of_constructor(index, place)
        if below_it is None:
            return None
        edits.append(Edit(index.span(place), f"self.{name}"))
        added.append(f"self.{name} = {place.text}")
    return [*edits, below(index, below_it, added)] if below_it is not None else None


def _end_of_constructor(index: FileIndex, place: Place) -> Lines | None:
    """The constructor's last statement, if what `place` makes can be made behind it; may be Refused."""
    owner = class_of(index, place) if current(index, [place]) else None
    if owner is None:
        return None
    found = constructor_of(owner)
    if found is None:
        raise Refused("the class has no `__init__` of its own to make it in")
    method = _method(place)
    if method is None:
        raise Refused("it is made in a loop or in a function inside `forward`: how many layers are meant is not known")
    if "\n" in place.text or "\r" in place.text:
        raise Refused("the call is written over several lines")
    constructor, unit = found[0], found[1].unit
    if not _means_the_same(owner, place, method, constructor):
        raise Refused("the constructor call may do more than construct")
    if isinstance(constructor.body[-1], ast.Return):
        raise Refused("`__init__` ends in a `return`")
    return lines_of(index, Place(unit, unit.span(constructor.body[-1])))


def _method(place: Place) -> Function | None:
    """The method around a place that runs once for each call of it; None inside a loop, a lambda or another function."""
    nodes = chain(place)
    functions = [n for n, node in enumerate(nodes) if isinstance(node, Function)]
    if len(functions) != 1 or any(isinstance(node, _Repeated) for node in nodes):
        return None
    method = nodes[functions[0]]
    assert isinstance(method, Function)
    names = [argument.arg for argument in method.args.args[:1]]
    return method if names == ["self"] and method.name != "__init__" else None


def _means_the_same(owner: ClassUnits, place: Place, method: Function, constructor: Function) -> bool:
    node = chain(place)[-1]
    if not isinstance(node, ast.Call) or not is_plain_construction(node):
        return False
    local = _bound_in(method) | _bound_in(constructor)
    for part in walk(node):
        match part:
            case ast.Call(func=ast.Attribute(value=on)) if is_self(on):
                return False
            case ast.Attribute(value=on, attr=attribute) if is_self(on):
                if not _is_set_once(owner, attribute, place.unit, constructor):
                    raise Refused(f"`self.{attribute}` is not set once and for all in `__init__`")
            case ast.Name(id=name) if name != "self" and name in local:
                raise Refused(f"`{name}` is known only when `{method.name}` runs")
            case _:
                pass
    return True


def _bound_in(function: Function) -> set[str]:
    nodes = list(walk(function))
    bound = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return bound | {n.arg for n in nodes if isinstance(n, ast.arg)}


def _is_set_once(owner: ClassUnits, attribute: str, unit: Unit, constructor: Function) -> bool:
    """Whether the class binds an attribute in one statement of the constructor's body, whatever the configuration, and nowhere else."""
    stores = [use for use in uses(owner, attribute) if use.stores]
    return len(stores) == 1 and any(stores[0].statement is statement for statement in constructor.body)
