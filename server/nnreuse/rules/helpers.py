"""Helpers: module-level functions that a class gives an instance to, which repeat it: `clones(Block(8), n)` without a copy."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from nnreuse.rules.context import Context
from nnreuse.rules.reuse import own_units
from nnreuse.syntax.once import once
from nnreuse.syntax.tree import walk
from nnreuse.syntax.units import Place, Unit
from nnreuse.tracing.values import Instance
from nnreuse.types.meaning import FunctionRef


@dataclass(frozen=True, slots=True)
class HelperCall:
    """Where a class's own code gives an instance to a function: the call, the argument, and the function's name."""

    place: Place
    argument: ast.expr
    name: str


def helper_call(context: Context, instance: Instance, repeated: Place) -> HelperCall | None:
    """The call by which the class gives an instance to the function that repeats it; None where several may be meant."""
    found = [one for one in _calls_into(context, repeated.unit) if _may_be(context, one, instance)]
    exact = [one for one in found if _is_made_in(instance, one)]
    chosen = exact or found
    return chosen[0] if len({one.place for one in chosen}) == 1 else None


def _calls_into(context: Context, function: Unit) -> Iterator[HelperCall]:
    cls = context.trace.cls
    for unit in own_units(context.trace):
        for call in _plain_calls(unit):
            meaning = context.program.dotted(cls.file, call.func)
            if isinstance(meaning, FunctionRef) and meaning.unit is function:
                yield from _arguments(unit, call)


def _arguments(unit: Unit, call: ast.Call) -> Iterator[HelperCall]:
    name = ast.unparse(call.func)
    for value in (*call.args, *(keyword.value for keyword in call.keywords)):
        if isinstance(value, ast.Call | ast.Name | ast.Attribute):
            yield HelperCall(unit.place(call), value, name)


def _may_be(context: Context, call: HelperCall, instance: Instance) -> bool:
    """Whether an argument may hold the instance: its constructor, a local that is given it, or an attribute."""
    if isinstance(call.argument, ast.Call):
        return _is_made_in(instance, call)
    if isinstance(call.argument, ast.Attribute):
        return call.argument.attr in context.trace.paths_of(instance)
    return isinstance(call.argument, ast.Name) and call.argument.id in _locals_of(context, instance)


def _is_made_in(instance: Instance, call: HelperCall) -> bool:
    made, unit = instance.place, call.place.unit
    return made is not None and made.unit is unit and unit.span(call.argument).contains(made.span)


def _locals_of(context: Context, instance: Instance) -> set[str]:
    """The names of locals that are given the constructor call of an instance, and of parameters, where others make it."""
    made, own = instance.place, own_units(context.trace)
    if made is None or made.unit not in own:
        found = context.trace.cls.find("__init__")
        node = found[2] if found is not None else None
        return {a.arg for a in (*node.args.args, *node.args.kwonlyargs)} if isinstance(node, ast.FunctionDef) else set()
    names: set[str] = set()
    for statement in (n for root in made.unit.nodes for n in walk(root) if isinstance(n, ast.Assign)):
        if made.unit.span(statement.value).contains(made.span):
            names |= {target.id for target in statement.targets if isinstance(target, ast.Name)}
    return names


@once
def _plain_calls(unit: Unit) -> list[ast.Call]:
    """The calls of names and of attributes of names, but not of those of `self`."""
    if any(isinstance(root, ast.ClassDef) for root in unit.nodes):
        return []
    found = [n for root in unit.nodes for n in walk(root) if isinstance(n, ast.Call) and (n.args or n.keywords)]
    return [n for n in found if isinstance(n.func, ast.Name | ast.Attribute)]
