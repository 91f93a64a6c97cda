"""Loops: their passes, and the ways out of a block of code."""

import ast
from collections.abc import Callable, Iterator
from enum import Enum

from nnreuse.tracing.conditions import Path, opposite
from nnreuse.tracing.iteration import Iteration
from nnreuse.tracing.machine import MAX_EXACT, Exits, Machine
from nnreuse.tracing.trace import Turn
from nnreuse.tracing.values import Value


class Flow(Enum):
    """How a statement leaves, from the nearest to the farthest: to the next one, or out of the pass, the loop, the function or the run."""

    NEXT = 0
    CONTINUE = 1
    BREAK = 2
    RETURN = 3
    RAISE = 4


def nearest(flows: list[Flow]) -> Flow:
    """How arms leave together: the code that any of them reaches is reached."""
    return min(flows, key=lambda flow: flow.value)


def run_passes(
    m: Machine,
    node: ast.AST,
    iteration: Iteration,
    body: Callable[[Value], Flow],
    otherwise: Callable[[], Flow] = lambda: Flow.NEXT,
) -> Flow:
    """Runs a loop's body: once for each element where they are known, else twice, and once more where a pass decided otherwise.

    `otherwise` is the loop's `else`.
    """

    def passes() -> Iterator[Pass]:
        seen: list[Decisions] = []
        number = 0
        while number < iteration.passes or (number == 2 and _differ(iteration.exact, seen)):
            yield iteration.exact, lambda: body(iteration.value(number))  # noqa: B023 (run before the number moves on)
            seen.append(m.decisions)
            number += 1

    return _run(m, node, passes(), otherwise)


def run_while(
    m: Machine,
    node: ast.While,
    test: Callable[[], bool | None],
    body: Callable[[], Flow],
    otherwise: Callable[[], Flow],
) -> Flow:
    """Runs a loop's body as often as its test is known to hold, at least twice where that is not known."""
    endless = isinstance(node.test, ast.Constant)

    def passes() -> Iterator[Pass]:
        seen: list[Decisions] = []
        for number in range(MAX_EXACT + 1):
            truth = test()
            known = truth is True and not endless
            if truth is False or not known and number >= (3 if _differ(False, seen) else 2):
                return
            yield known, body
            seen.append(m.decisions)
        m.complete = False

    return _run(m, node, passes(), otherwise)


Pass = tuple[bool, Callable[[], Flow]]
"""Whether passes are iterations, and what one runs."""
Decisions = dict[ast.AST, bool] | None


def _differ(exact: bool, seen: list[Decisions]) -> bool:
    return not exact and len(seen) == 2 and seen[0] != seen[1]


def _run(m: Machine, node: ast.AST, passes: Iterator[Pass], otherwise: Callable[[], Flow]) -> Flow:
    turns, decisions, breaks, before = m.turns, m.decisions, m.breaks, m.path
    m.breaks = Exits(len(m.journal))
    all_decided: dict[ast.AST, bool] = {}
    flow = Flow.NEXT
    try:
        for number, (exact, run) in enumerate(passes):
            m.turns, m.decisions = (*turns, Turn(node, number, exact)), {}
            flow = _one_pass(m, run)
            all_decided |= m.decisions
            m.turns = turns
            if flow is not Flow.NEXT:
                break
        else:
            flow = otherwise()
        return _rejoined(m, m.breaks, before, flow)
    finally:
        if decisions is not None:
            decisions.update(all_decided)
        m.turns, m.decisions, m.breaks = turns, decisions, breaks


def _one_pass(m: Machine, run: Callable[[], Flow]) -> Flow:
    continues, before = m.continues, m.path
    m.continues = Exits(len(m.journal))
    try:
        return _rejoined(m, m.continues, before, run())
    finally:
        m.continues = continues


def _rejoined(m: Machine, exits: Exits, before: Path, flow: Flow) -> Flow:
    """Control goes on where the exits lead: with the states they left behind, and under none of their literals."""
    excluded = m.path.excluded
    if exits.left:
        states = [(literals - before.literals, state) for literals, state in exits.left]
        now = m.rewind(exits.mark)
        through = frozenset(x for literals, _ in states for x in opposite(literals))
        m.rejoin([*states, (through, now)] if flow is Flow.NEXT else states)
        excluded -= {literals for literals, _ in exits.left} - before.excluded
        flow = Flow.NEXT
    m.path = Path(before.literals, excluded)
    return flow


def leave(m: Machine, exits: Exits, flow: Flow) -> Flow:
    """`continue` and `break`: the state here comes back where they lead to."""
    exits.left.append((m.path.literals, m.since(exits.mark)))
    m.path = m.path.without(m.path.literals)
    return flow
