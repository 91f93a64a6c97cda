"""Lost elements: a list that another takes the place of unread, and what a loop assigns to one attribute in every pass."""

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from nnreuse.fixes.places import chain, function_at, siblings, statement_at
from nnreuse.rules.making import carries_something
from nnreuse.rules.reading import may_read
from nnreuse.rules.reuse import own_units
from nnreuse.syntax.tree import walk
from nnreuse.syntax.units import Place
from nnreuse.tracing.conditions import exclusive
from nnreuse.tracing.trace import Creation, Definition, Trace
from nnreuse.tracing.values import Instance

_LISTS = (ast.List, ast.ListComp, ast.Tuple)
_LEAVING = (ast.Break, ast.Return, ast.Continue)


@dataclass(frozen=True, slots=True)
class Lost:
    """An assignment that takes the place of an earlier one, or of its own in the pass before, and a module that is lost by it."""

    earlier: Definition
    later: Definition
    instance: Instance

    @property
    def target(self) -> ast.expr | None:
        """What the later assignment binds."""
        statement = statement_at(self.later.place)
        targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
        return targets[0]

    @property
    def by_itself(self) -> bool:
        return self.earlier.place == self.later.place


def lost_elements(trace: Trace) -> Iterator[Lost]:
    """The first loss at each assignment."""
    seen = set[Place]()
    for found in (*_lost(trace, trace.collections), *_lost(trace, trace.definitions), *_lost_locals(trace)):
        if found.later.place not in seen:
            seen.add(found.later.place)
            yield found


def _lost(trace: Trace, assignments: list[Definition]) -> Iterator[Lost]:
    units, lists = own_units(trace), assignments is trace.collections
    for number, later in enumerate(assignments):
        if later.unit not in units or lists and not isinstance(later.value, _LISTS):
            continue
        before = (d for d in reversed(assignments[:number]) if d.name == later.name)
        earlier = next((d for d in before if not exclusive(d.path, later.path)), None)
        if earlier is None or not (_repeats(trace, earlier, later) or lists and _replaces(trace, earlier, later)):
            continue
        lost = next((one for one in _made(trace, earlier, lists) if carries_something(trace, one)), None)
        if lost is not None:
            yield Lost(earlier, later, lost)


def _made(trace: Trace, earlier: Definition, lists: bool) -> Iterator[Instance]:
    """What the earlier assignment made, and nothing holds."""
    if lists and earlier.value is not None:
        inside = set(walk(earlier.value))
        instances = (one.instance for one in trace.creations if one.node in inside)
    else:
        instances = (one for one in earlier.instances if isinstance(earlier.value, ast.Call))
    return (one for one in instances if not trace.paths_of(one))


def _replaces(trace: Trace, earlier: Definition, later: Definition) -> bool:
    """Whether a list follows wherever the earlier one was made, and nothing reads that before."""
    function = function_at(later.place)
    if earlier.unit is not later.unit or function is None or function is not function_at(earlier.place):
        return False
    first, last = earlier.place.span.end, later.place.span.end
    if first > later.place.span.start or not later.path.literals <= earlier.path.literals:
        return False
    between = (n for n in walk(function) if isinstance(n, ast.expr) and first <= later.unit.span(n).start < last)
    return not any(may_read(trace.cls, node, later.name) for node in between)


def _repeats(trace: Trace, earlier: Definition, later: Definition) -> bool:
    """Whether it is one assignment, which every pass of a loop comes to, and nothing in the loop reads the attribute."""
    loops = [node for node in chain(later.place) if isinstance(node, ast.For)]
    if earlier.place != later.place or not loops or statement_at(later.place) not in loops[-1].body:
        return False
    nodes = walk(loops[-1])
    return not _is_left(loops[-1]) and not any(may_read(trace.cls, node, later.name) for node in nodes)


def _lost_locals(trace: Trace) -> Iterator[Lost]:
    """The same of a list that a local variable of a constructor names."""
    units, counts = own_units(trace), Counter(one.node for one in trace.creations)
    for made in trace.creations:
        place, instance = made.instance.place, made.instance
        if made.phase != "constructor" or place is None or place.unit not in units or trace.paths_of(instance):
            continue
        first = next((one for one in reversed(chain(place)) if isinstance(one, ast.stmt)), None)
        name = _local_list(first)
        later = _next_list(place, first, name, counts[made.node] > 1) if first is not None and name else None
        if first is None or later is None or not carries_something(trace, instance):
            continue
        assert name is not None
        yield Lost(_as_definition(first, name, made), _as_definition(later, name, made), instance)


def _as_definition(statement: ast.stmt, name: str, made: Creation) -> Definition:
    unit = made.instance.place.unit if made.instance.place is not None else None
    assert unit is not None
    value = statement.value if isinstance(statement, ast.Assign) else None
    return Definition(name, unit.place(statement), value, unit, made.file, made.path, ())


def _local_list(statement: ast.AST | None) -> str | None:
    """The local of `layers = […]`."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if isinstance(value, _LISTS):
            return name
        case _:
            return None


def _next_list(place: Place, first: ast.stmt, name: str, several: bool) -> ast.stmt | None:
    """The assignment of another list that follows, perhaps in a loop, before anything speaks of the local."""
    block = siblings(place.unit, first)
    loops = [node for node in chain(place) if isinstance(node, ast.For)]
    if (
        loops
        and block is loops[-1].body
        and several
        and not _is_left(loops[-1])
        and not _speaks(loops[-1], name, first)
    ):
        return first
    for statement in block[block.index(first) + 1 :] if first in block else ():
        inner = statement.body if isinstance(statement, ast.For) else [statement]
        later = next((one for one in inner if _local_list(one) == name), None)
        if later is not None:
            before = [statement.iter, *inner[: inner.index(later)]] if isinstance(statement, ast.For) else []
            return None if any(_speaks(one, name) for one in (*before, *_value(later))) else later
        if _speaks(statement, name):
            return None
    return None


def _value(statement: ast.stmt) -> list[ast.expr]:
    return [statement.value] if isinstance(statement, ast.Assign) else []


def _is_left(loop: ast.For) -> bool:
    return any(isinstance(node, _LEAVING) for node in walk(loop))


def _speaks(node: ast.AST, name: str, but: ast.stmt | None = None) -> bool:
    """Whether a node names the local, outside the targets of one statement."""
    targets = but.targets if isinstance(but, ast.Assign) else []
    return any(isinstance(one, ast.Name) and one.id == name and one not in targets for one in walk(node))
