"""Growing: containers that a loop fills further in every pass, and adds each time, where each pass was to begin a new one."""

import ast
from collections.abc import Iterator

from nnreuse.rules.placements import Again
from nnreuse.syntax.tree import walk
from nnreuse.syntax.units import Place
from nnreuse.tracing.trace import Placement, Trace
from nnreuse.tracing.values import Instance

_FILLING = frozenset("append extend insert add_module register_module".split())


def filled_in_loop(again: Again) -> Iterator[Place]:
    """Where the loop that adds an instance in every pass puts something into it."""
    name, loop = ast.unparse(again.second.node), again.second.turns[-1].loop
    yield from (
        again.second.unit.place(node) for node in walk(loop) if _fills(node, name) and isinstance(node, ast.expr)
    )


def grown(trace: Trace) -> Iterator[Again]:
    """By loop: an instance that the container of one pass holds, and that of a later pass as well, which holds more."""
    seen: set[ast.expr] = set()
    last: dict[ast.expr, Placement] = {}
    for later in trace.placements:
        earlier = last.get(later.node)
        last[later.node] = later
        if earlier is None or later.node in seen or not _next_pass(earlier, later):
            continue
        again = _held_again(trace, earlier, later)
        if again is not None:
            seen.add(later.node)
            yield again


def list_of(again: Again) -> str | None:
    """The list that a loop fills and puts a container together from: `blocks` of `nn.Sequential(*blocks)`."""
    match again.second.node:
        case ast.Call(args=[ast.Starred(value=ast.Name() | ast.Attribute() as given)]):
            name = ast.unparse(given)
        case ast.Call(args=[ast.Name() | ast.Attribute() as given]):
            name = ast.unparse(given)
        case _:
            return None
    nodes = walk(again.second.turns[-1].loop)
    return name if any(_fills(n, name) for n in nodes) and not any(_renews(n, name) for n in nodes) else None


def _next_pass(earlier: Placement, later: Placement) -> bool:
    if not earlier.turns or len(earlier.turns) != len(later.turns) or earlier.turns[:-1] != later.turns[:-1]:
        return False
    return earlier.turns[-1].loop is later.turns[-1].loop and earlier.turns[-1].number < later.turns[-1].number


def _held_again(trace: Trace, earlier: Placement, later: Placement) -> Again | None:
    """What both containers hold, where the later one holds something besides, and the loop makes it."""
    if earlier.instance is later.instance or later.instance.elements is None:
        return None
    before, now = trace.parts(earlier.instance), trace.parts(later.instance)
    if len(now) <= len(before) or any(part not in now for part in before):
        return None
    loop = later.turns[-1].loop
    made = [part for part in before if _made_in(part, loop, later)]
    return Again(made[0], earlier, later) if made else None


def _made_in(part: Instance, loop: ast.AST, beside: Placement) -> bool:
    """Whether a module is made in the loop itself."""
    if part.place is None or part.place.unit is not beside.unit or not isinstance(loop, ast.For | ast.While):
        return False
    return beside.unit.span(loop).contains(part.place.span)


def _fills(node: ast.AST, name: str) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(value=owner, attr=method)) if method in _FILLING:
            return ast.unparse(owner) == name
        case ast.AugAssign(target=target, op=ast.Add()):
            return ast.unparse(target) == name
        case _:
            return False


def _renews(node: ast.AST, name: str) -> bool:
    """Whether a node binds the name anew, empties the list, or takes something out of it."""
    match node:
        case ast.Assign(targets=targets):
            return any(ast.unparse(one) == name for one in targets)
        case ast.AnnAssign(target=target):
            return ast.unparse(target) == name
        case ast.Delete(targets=targets):
            return any(ast.unparse(one).startswith(name) for one in targets)
        case ast.Call(func=ast.Attribute(value=owner, attr="clear" | "pop" | "remove")):
            return ast.unparse(owner) == name
        case _:
            return False
