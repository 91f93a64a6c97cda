"""Lost elements: a list that another takes the place of unread, and what a loop assigns to one attribute in every pass."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from nnreuse.fixes.places import chain, function_at, statement_at
from nnreuse.rules.making import carries_something
from nnreuse.rules.reading import may_read
from nnreuse.rules.reuse import own_units
from nnreuse.syntax.tree import walk
from nnreuse.syntax.units import Place
from nnreuse.tracing.conditions import exclusive
from nnreuse.tracing.trace import Definition, Trace
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
    def by_itself(self) -> bool:
        return self.earlier.place == self.later.place


def lost_elements(trace: Trace) -> Iterator[Lost]:
    """The first loss at each assignment."""
    seen = set[Place]()
    for found in (*_lost(trace, trace.collections), *_lost(trace, trace.definitions)):
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
    return not any(isinstance(n, _LEAVING) or may_read(trace.cls, n, later.name) for n in nodes)
