"""Refusals: combinations of tests under which code raises. No run goes on with them, so the arms that they lead to exclude each other."""

import ast
from dataclasses import dataclass, replace
from itertools import product
from typing import TypeVar

from nnreuse.syntax.tree import walk
from nnreuse.tracing.conditions import Literal, Literals, Path
from nnreuse.tracing.machine import Machine
from nnreuse.tracing.trace import Again, Call, Clash, Creation, Definition, Placement
from nnreuse.tracing.values import Opaque, Value

_MAX_REFUSED = 32
_MAX_WAYS = 8
Recorded = TypeVar("Recorded", Call, Creation, Definition, Placement)
_SPEAKING = ast.BoolOp | ast.Not | ast.BitXor | ast.Eq | ast.NotEq | ast.Is | ast.IsNot | ast.In | ast.NotIn


def refuse(m: Machine, literals: Literals) -> None:
    """Code raises where these literals hold. Where it may be caught, or has left in some runs before, that says nothing."""
    known = m.refused.setdefault(m.phase, [])
    if not literals or m.path.excluded or m.turns or m.catching or len(known) >= _MAX_REFUSED:
        return
    m.intern.effects += 1
    known += (one for one in _ways(m, literals) if one not in known)


def says_something(test: ast.expr) -> bool:
    """Whether an asserted test may tell flags apart, and calls nothing."""
    nodes = walk(test)
    return any(isinstance(n, _SPEAKING) for n in _with_operators(nodes)) and not any(
        isinstance(n, ast.Call) for n in nodes
    )


def _with_operators(nodes: list[ast.AST]) -> list[ast.AST]:
    """The nodes, and the operators that walking leaves out."""
    found = list(nodes)
    for node in nodes:
        match node:
            case ast.Compare(ops=ops):
                found += ops
            case ast.UnaryOp(op=op) | ast.BinOp(op=op):
                found.append(op)
            case _:
                pass
    return found


def differ(m: Machine, left: Value, right: Value, ident: int) -> None:
    """`left ^ right`, or `left != right` of truth values: remembers what they are, by the ident of the result."""
    if _is_truth(m, left) and _is_truth(m, right):
        m.intern.differing[ident] = _as_literal(m, left), _as_literal(m, right)


def agree(m: Machine, left: Value, right: Value, ident: int) -> None:
    """`left == right` of truth values: one holds where the other does."""
    if _is_truth(m, left) and _is_truth(m, right):
        m.intern.differing[ident] = _as_literal(m, left), _not(_as_literal(m, right))


def _is_truth(m: Machine, value: Value) -> bool:
    if not isinstance(value, Opaque):
        return False
    return value.kind == "bool" or value.ident in m.intern.tests or isinstance(m.intern.presumed.get(value.ident), bool)


def _as_literal(m: Machine, value: Value) -> Literals:
    known = m.intern.tests.get(m.ident(value))
    return known if known is not None else frozenset([Literal(m.ident(value), "truth", None, True)])


def _ways(m: Machine, literals: Literals) -> list[Literals]:
    """The same as conjunctions of plain literals: one for each way in which they can hold."""
    choices = [_ways_of(m, one) for one in literals]
    count = 1
    for several in choices:
        count *= max(len(several), 1)
    if count > _MAX_WAYS:
        return []
    return [frozenset[Literal]().union(*ways) for ways in product(*choices)]


def _ways_of(m: Machine, literal: Literal) -> list[Literals]:
    differing = m.intern.differing.get(literal.subject) if literal.operator == "truth" else None
    if differing is not None:
        a, b = differing
        return [a | _not(b), _not(a) | b] if literal.positive else [a | b, _not(a) | _not(b)]
    if literal.operator != "test" or not isinstance(literal.value, frozenset):
        return [frozenset([literal])]
    whole: Literals = literal.value  # type: ignore[assignment]
    if literal.positive:
        return _ways(m, whole)
    return [way for one in whole for way in _ways_of(m, one.negated())]


def _not(literals: Literals) -> Literals:
    return frozenset(x.negated() for x in literals)


@dataclass(frozen=True, slots=True)
class _Barring:
    """Writes down beside each path the refusals that speak of the same tests."""

    refused: dict[str, frozenset[Literals]]

    def path(self, path: Path, phase: str) -> Path:
        never = self.refused.get("constructor", frozenset()) | self.refused.get(phase, frozenset())
        return Path(path.literals, path.excluded, never) if never else path

    def all(self, found: list[Recorded], phase: str = "") -> list[Recorded]:
        return [replace(one, path=self.path(one.path, phase or _phase_of(one))) for one in found]


def _phase_of(one: Call | Creation | Definition | Placement) -> str:
    return one.entry if isinstance(one, Call) else one.phase if isinstance(one, Creation) else "constructor"


def bar(m: Machine) -> None:
    """Tells all that was recorded which combinations no run goes on with."""
    known = _subjects(m)
    refused = {phase: frozenset(c for c in found if _about(c) <= known) for phase, found in m.refused.items()}
    if not any(refused.values()):
        return
    barring = _Barring(refused)
    m.calls[:] = barring.all(m.calls)
    m.creations[:] = barring.all(m.creations)
    m.definitions[:] = barring.all(m.definitions)
    m.collections[:] = barring.all(m.collections)
    m.placements[:] = barring.all(m.placements)
    m.clashes[:] = [Clash(m.calls[c.call.number], c.parameter, c.wanted, c.got) for c in m.clashes]
    m.again = {
        entry: Again(tuple(barring.all([*one.calls])), one.made, one.certain, one.complete)
        for entry, one in m.again.items()
    }


def _subjects(m: Machine) -> frozenset[int]:
    """What the tests are about that calls and definitions lie under."""
    paths = [one.path for one in (*m.calls, *m.definitions, *m.placements)]
    conjunctions = {conjunction for path in paths for conjunction in (path.literals, *path.excluded)}
    conjunctions |= {call.instance.given for call in m.calls}
    return frozenset[int]().union(*map(_about, conjunctions))


def _about(conjunction: Literals) -> frozenset[int]:
    found: set[int] = set()
    for one in conjunction:
        if one.operator == "test" and isinstance(one.value, frozenset):
            whole: Literals = one.value  # type: ignore[assignment]
            found |= _about(whole)
        else:
            found.add(one.subject)
    return frozenset(found)
