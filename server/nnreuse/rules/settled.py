"""Settled: whether the sizes that an instance was constructed with are what the tracer says, however often loops run."""

import ast
from collections.abc import Iterator

from nnreuse.fixes.places import Function, chain
from nnreuse.rules.reuse import own_units
from nnreuse.syntax.tree import walk
from nnreuse.tracing.trace import Clash, Trace
from nnreuse.tracing.values import Instance

_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def proven_clashes(trace: Trace) -> list[Clash]:
    """The calls that certainly raise, their sizes being what the tracer says."""
    return [
        clash
        for clash in trace.clashes
        if all(is_settled(trace, one) for one in (clash.call.instance, clash.got.instance))
    ]


def is_settled(trace: Trace, instance: Instance) -> bool:
    """Whether one expression of the class's constructor made it, from names that no loop writes, and nothing replaces its weights."""
    place = instance.place
    if place is None or instance.copy_of is not None or place.unit not in own_units(trace) or instance.adds_state:
        return False
    if _is_replaced(trace, instance) or any("register_forward" in unit.text for unit in own_units(trace)):
        return False
    around = chain(place)
    call = around[-1] if around else None
    function = next((node for node in around if isinstance(node, Function)), None)
    if function is None or not isinstance(call, ast.Call) or any(isinstance(node, _COMPREHENSIONS) for node in around):
        return False
    return not (_unsettled(trace, function) | _rebound(trace)) & set(_names(call))


def _is_replaced(trace: Trace, instance: Instance) -> bool:
    """Whether the class stores something on the instance: `self.fc.weight = …`."""
    names = {path.split(".")[0] for path in trace.paths_of(instance)}
    return any(
        isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and not names.isdisjoint(n.attr for n in walk(node.value) if isinstance(n, ast.Attribute))
        for _, statement in trace.cls.units.statements()
        for node in walk(statement)
    )


def argument_of(instance: Instance, parameter: str) -> ast.expr | None:
    """The expression that a constructor call hands to a parameter of torch's class."""
    around = chain(instance.place) if instance.place is not None else ()
    call = around[-1] if around else None
    if not isinstance(call, ast.Call) or instance.facts is None:
        return None
    given = instance.facts.bind(call.args, {one.arg: one.value for one in call.keywords if one.arg is not None})
    found = given.get(parameter)
    return found if isinstance(found, ast.expr) else None


def _rebound(trace: Trace) -> set[str]:
    """The names that the file binds at several places outside of functions and classes."""
    bound = [
        name
        for unit in trace.cls.surroundings.first_lines
        for root in unit.nodes
        if not isinstance(root, Function | ast.ClassDef)
        for node in walk(root)
        for name in _written(node)
    ]
    return {name for name in bound if bound.count(name) > 1}


def _unsettled(trace: Trace, function: ast.AST) -> set[str]:
    """The names, `self.x` among them, that loops write in a constructor, and those that are computed from them."""
    bound: list[tuple[set[str], set[str]]] = []
    found: set[str] = set()
    for root in (function, *(statement for _, statement in trace.cls.units.statements())):
        for node in walk(root):
            if isinstance(node, _LOOPS):
                found |= {name for inner in walk(node) for name in _written(inner)}
            elif isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign) and node.value is not None:
                bound.append((set(_written(node)), set(_names(node.value))))
    size = -1
    while size != len(found):
        size = len(found)
        found |= {name for written, read in bound if read & found for name in written}
    return found


def _written(node: ast.AST) -> Iterator[str]:
    """What a node binds, or changes by a method."""
    match node:
        case ast.Assign(targets=targets):
            yield from (name for target in targets for name in _names(target))
        case (
            ast.AugAssign(target=target)
            | ast.AnnAssign(target=target)
            | ast.For(target=target)
            | ast.NamedExpr(target=target)
        ):
            yield from _names(target)
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=owner))):
            yield from _names(owner)
        case _:
            return


def _names(node: ast.AST) -> Iterator[str]:
    for inner in walk(node):
        if isinstance(inner, ast.Name) and inner.id != "self":
            yield inner.id
        elif isinstance(inner, ast.Attribute) and isinstance(inner.value, ast.Name) and inner.value.id == "self":
            yield f"self.{inner.attr}"
