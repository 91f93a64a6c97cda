"""Again: what the next call of an entry point does, on what the last one has left on the object.

It tells what each call makes anew from what the first one makes and keeps, and a state that is kept from one that is reset.
"""

import ast
from dataclasses import dataclass

from nnreuse.tracing import calls
from nnreuse.tracing.conditions import Path
from nnreuse.tracing.machine import Machine, OutOfBounds
from nnreuse.tracing.trace import Again, Creation, Turn
from nnreuse.tracing.values import Function


@dataclass(frozen=True, slots=True)
class Mark:
    """How far the lists of a machine had come."""

    calls: int
    creations: int
    stores: int


_LISTS = "calls definitions repetitions placements spreads creations collections stores clashes late given_up".split()


def mark(m: Machine) -> Mark:
    """Where the machine is, before an entry point runs."""
    return Mark(len(m.calls), len(m.creations), len(m.stores))


def has_left_something(m: Machine, since: Mark) -> bool:
    """Whether an entry point has made a module, or has kept what comes from a call."""
    return len(m.creations) > since.creations or any(store.lineage for store in m.stores[since.stores :])


def run_again(m: Machine, entry: Function, steps: int) -> Again:
    """Runs an entry point once more on the state it has left; the machine's own records are as before."""
    lengths = {name: len(getattr(m, name)) for name in _LISTS}
    before = m.complete, m.escaped, m.unset, m.read_as_none, m.unknowns
    m.unset, m.read_as_none, m.unknowns = set(), set(), dict(m.unknowns)
    m.complete, m.path, m.turns, m.steps, m.limit, m.runs_again = True, Path(), (), 0, steps, True
    try:
        calls.enter(m, entry, (), {}, None)
    except (OutOfBounds, RecursionError):
        m.complete = False
        m.stack.clear()
    found = _done(m, m.creations[lengths["creations"] :], lengths["calls"])
    m.complete, m.escaped, m.unset, m.read_as_none, m.unknowns = before
    m.runs_again = False
    for name, length in lengths.items():
        del getattr(m, name)[length:]
    return found


def _done(m: Machine, made: list[Creation], calls_before: int) -> Again:
    certain = [one for one in made if not one.path.conditional and not any(map(_may_not_run, one.turns))]
    return Again(
        tuple(m.calls[calls_before:]),
        frozenset(one.node for one in made),
        frozenset(one.node for one in certain),
        m.complete,
    )


def _may_not_run(turn: Turn) -> bool:
    return isinstance(turn.loop, ast.While) and not turn.exact
