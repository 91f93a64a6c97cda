"""Conditions: under which branch arms something happens, as conjunctions of literals over opaque subjects."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import product
from typing import cast

_MAX_ATOMS = 8


@dataclass(frozen=True, slots=True)
class Literal:
    """`subject OPERATOR value` holds, or not. Subjects are interned identities of opaque values.

    Operators: `truth` (value None), `is None` (value None), `==`, and `test` for a whole compound test: the conjunction of
    literals that is its value.
    """

    subject: int
    operator: str
    value: object
    positive: bool

    def negated(self) -> "Literal":
        return Literal(self.subject, self.operator, self.value, not self.positive)


Literals = frozenset[Literal]
NOTHING: Literals = frozenset()


@dataclass(frozen=True, slots=True)
class Path:
    """Where control is: literals that hold here, and conjunctions that do not because their arms have left."""

    literals: Literals = NOTHING
    excluded: frozenset[Literals] = field(default_factory=frozenset[Literals])
    never: frozenset[Literals] = field(default_factory=frozenset[Literals])
    """Conjunctions under which the code raises: no run goes on with them. Known once all has run."""

    @property
    def conditional(self) -> bool:
        """Whether some runs, or some passes of a loop, may not come here."""
        return bool(self.literals or self.excluded)

    def under(self, literals: Literals) -> "Path":
        return Path(self.literals | literals, self.excluded, self.never) if literals else self

    def without(self, left: Literals) -> "Path":
        return Path(self.literals, self.excluded | {left}, self.never) if left else self


def contradict(a: Literals, b: Literals) -> bool:
    """Whether two conjunctions cannot hold together."""
    if not a or not b:
        return False
    for x in a:  # plain loops: this is asked more often than anything else
        for y in b:
            if x.subject == y.subject and _contradict(x, y):
                return True
    for both in (a, b):
        for x in both:
            if x.operator == "test" and not x.positive and _all_implied(_conjunction(x), a | b):
                return True
    return False


def _all_implied(conjunction: Literals, known: Literals) -> bool:
    """Whether each literal is known, or its opposite cannot hold beside one that is: `x == "a"` says that `x` is not `"b"`."""
    return all(x in known or any(_rules_out(y, x) for y in known) for x in conjunction)


def _rules_out(known: Literal, other: Literal) -> bool:
    return known.subject == other.subject and _contradict(known, other.negated())


def follows(conjunction: Literals, known: Literals) -> bool:
    """Whether a conjunction holds wherever known literals do."""
    return all(x in known or contradict(_otherwise(x), known) for x in conjunction)


def _otherwise(literal: Literal) -> Literals:
    """All that holds where a literal does not."""
    whole = literal.operator == "test" and not literal.positive
    return frozenset([literal.negated(), *(_conjunction(literal) if whole else ())])


def opposite(conjunction: Literals) -> Literals:
    """What holds where a conjunction does not, as far as literals can say it: of a single one, and of a whole compound test."""
    whole = next((x for x in conjunction if x.operator == "test" and x.positive), None)
    if whole is not None and conjunction == _conjunction(whole) | {whole}:
        return frozenset([whole.negated()])
    return frozenset(x.negated() for x in conjunction) if len(conjunction) == 1 else NOTHING


def _conjunction(whole: Literal) -> Literals:
    return cast("Literals", whole.value)


def _contradict(x: Literal, y: Literal) -> bool:
    if x.operator == y.operator:
        if x.value == y.value:
            return x.positive != y.positive
        return x.operator == "==" and x.positive and y.positive
    pair = {x.operator: x, y.operator: y}
    none, truth, equal = pair.get("is None"), pair.get("truth"), pair.get("==")
    if none and none.positive:
        return bool((truth and truth.positive) or (equal and equal.positive and equal.value is not None))
    if truth and equal and equal.positive:
        return bool(equal.value) != truth.positive
    return False


def exclusive(a: Path, b: Path) -> bool:
    """Whether no single run can be at both."""
    if contradict(a.literals, b.literals) or _is_refused(a.never | b.never, a.literals | b.literals):
        return True
    return any(follows(e, a.literals) for e in b.excluded) or any(follows(e, b.literals) for e in a.excluded)


def _is_refused(never: frozenset[Literals], known: Literals) -> bool:
    return bool(never) and any(follows(one, known) for one in never)


def together(a: Path, b: Path) -> Path | None:
    """Where a run is that is at both; None where no single run can be."""
    if contradict(a.literals, b.literals):
        return None
    both = Path(a.literals | b.literals, a.excluded | b.excluded, a.never | b.never)
    if _is_refused(both.never, both.literals):
        return None
    return None if any(follows(left, both.literals) for left in both.excluded) else both


def counts(paths: Iterable[Path], given: Literals = NOTHING) -> tuple[int, int]:
    """The fewest and the most of `paths` that one run can be at, given literals that hold anyway.

    Exact while few tests are involved; beyond that the fewest counts unconditional paths only and the most is pairwise.
    """
    places = [Path(p.literals - given, p.excluded, p.never) for p in paths]
    if not any(p.literals or p.excluded for p in places):
        return len(places), len(places)
    atoms = {Literal(x.subject, x.operator, x.value, True) for p in places for x in p.literals}
    atoms |= {Literal(x.subject, x.operator, x.value, True) for p in places for e in p.excluded for x in e}
    if len(atoms) > _MAX_ATOMS:
        return sum(not p.literals for p in places), _pairwise(places)
    fewest, most = len(places), 0
    never, runs = frozenset[Literals]().union(*(p.never for p in places)), 0
    ordered = list(atoms)
    for values in product((True, False), repeat=len(ordered)):
        world = frozenset(x if v else x.negated() for x, v in zip(ordered, values, strict=True))
        if contradict(world, world | given):
            continue
        if any(x.operator == "test" and x.positive and contradict(_conjunction(x), world | given) for x in world):
            continue
        if _is_refused(never, world | given):
            continue
        runs += 1
        here = sum(p.literals <= world and not any(e <= world | given for e in p.excluded) for p in places)
        fewest, most = min(fewest, here), max(most, here)
    return (fewest, most) if runs else (0, _pairwise(places))


def _pairwise(places: list[Path]) -> int:
    for number, a in enumerate(places):
        for b in places[number + 1 :]:
            if not exclusive(a, b):
                return 2
    return min(1, len(places))
