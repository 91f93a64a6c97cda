"""What forward constructs is constructed once, at the end of the constructor, and kept on self."""

import ast

from nnreuse.fixes.classbody import constructor_of
from nnreuse.fixes.construction import is_plain_construction
from nnreuse.fixes.places import Function, chain, is_self
from nnreuse.fixes.uses import class_of, uses
from nnreuse.fixes.writing import Build, Refused, below, current, lines_of, proven
from nnreuse.syntax.edits import Edit
from nnreuse.syntax.index import FileIndex
from nnreuse.syntax.tree import walk
from nnreuse.syntax.units import ClassUnits, Place, Unit

_Repeated = (
    ast.For | ast.AsyncFor | ast.While | ast.comprehension | ast.ListComp | ast.GeneratorExp | ast.DictComp | ast.Lambda
)


def made_in_constructor(place: Place, name: str) -> Build:
    """`self.name` in place of a constructor call, and `self.name = …` as the constructor's last statement.

    None where the call depends on anything but constants, module-level names and attributes that the constructor sets once.
    """

    def build(index: FileIndex) -> list[Edit] | None:
        owner = class_of(index, place) if current(index, [place]) else None
        found = constructor_of(owner) if owner is not None else None
        method = _method(place)
        if owner is not None and found is None:
            raise Refused("the class has no `__init__` of its own to make it in")
        if owner is None or found is None or method is None or "\n" in place.text or "\r" in place.text:
            return None
        constructor, unit = found[0], found[1].unit
        if not _means_the_same(owner, place, method, constructor) or isinstance(constructor.body[-1], ast.Return):
            return None
        lines = lines_of(index, Place(unit, unit.span(constructor.body[-1])))
        if lines is None:
            return None
        return proven(
            index, [Edit(index.span(place), f"self.{name}"), below(index, lines, [f"self.{name} = {place.text}"])]
        )

    return build


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
