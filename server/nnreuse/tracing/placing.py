"""Placing: notes which expression puts which instance into a container, so that rules see one instance put there again."""

import ast

from nnreuse.syntax.tree import walk
from nnreuse.tracing.machine import Frame, Machine
from nnreuse.tracing.trace import Placement
from nnreuse.tracing.values import Const, Instance, Items, Mapping, Value

_ADDING = frozenset({"append", "add", "insert", "setdefault"})
_REGISTERING = frozenset({"add_module", "register_module"})


def placed(m: Machine, f: Frame, node: ast.expr, value: Value) -> None:
    """An expression puts a value into a list, a dict or a container of modules. Forward's own lists are not looked at.

    What a loop takes from one container and puts into another was placed where it first came in.
    """
    if m.phase != "constructor" or _is_taken(m, node):
        return
    for literals, one in m.options(value):
        if isinstance(one, Instance) and one.is_module:
            m.placements.append(Placement(one, node, f.unit, f.file, m.path.under(literals), m.turns))


def spread(m: Machine, f: Frame, node: ast.expr, value: Value) -> None:
    """A pass of a loop puts all that a list holds into another one: `*tail`, `layers += tail`, `layers.extend(tail)`."""
    if m.phase != "constructor" or not m.turns or not isinstance(node, ast.Name) or _is_taken(m, node):
        return
    elements = value.elements if isinstance(value, Instance) else value
    for one in elements.content.items if isinstance(elements, Items) else ():
        if isinstance(one, Instance) and one.is_module:
            m.spreads.append(Placement(one, node, f.unit, f.file, m.path, m.turns))


def _is_taken(m: Machine, node: ast.expr) -> bool:
    loop = m.turns[-1].loop if m.turns else None
    if isinstance(node, ast.Call) or not isinstance(loop, ast.For | ast.comprehension):
        return False
    targets = {n.id for n in walk(loop.target) if isinstance(n, ast.Name)}
    return any(isinstance(n, ast.Name) and n.id in targets for n in walk(node))


def placed_by_call(m: Machine, f: Frame, node: ast.Call, positional: tuple[Value, ...]) -> None:
    """The members that a call gives to a Sequential; what a star spreads was placed where its list was made."""
    first = next((i for i, a in enumerate(node.args) if isinstance(a, ast.Starred)), len(node.args))
    for argument, value in zip(node.args[:first], positional, strict=False):
        placed(m, f, argument, value)
    behind = list(reversed(node.args[first:]))
    last = next((i for i, a in enumerate(behind) if isinstance(a, ast.Starred)), 0)
    for argument, value in zip(behind[:last], reversed(positional), strict=False):
        placed(m, f, argument, value)


def placed_by_method(
    m: Machine, f: Frame, node: ast.Call, receiver: Value, name: str, positional: tuple[Value, ...]
) -> None:
    """`layers.append(x)` and its like; a name that a loop makes (`f"conv{i}"`) places too."""
    if not node.args or not positional:
        return
    container = (
        isinstance(receiver, Items | Mapping) or isinstance(receiver, Instance) and receiver.elements is not None
    )
    if name == "extend":
        spread(m, f, node.args[0], positional[0])
    elif name in _ADDING and container or name in _REGISTERING and (container or made_in_loop(positional[0])):
        placed(m, f, node.args[-1], positional[-1])


def made_in_loop(name: Value) -> bool:
    """Whether a name differs from pass to pass of a loop."""
    return isinstance(name, Const) and name.display is not None
