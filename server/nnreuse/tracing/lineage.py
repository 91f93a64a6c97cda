"""Lineages: which calls a value depends on, and on which arms it does.

A lineage is a bit set. Its low bits are calls; each higher bit is a merge, whose lineage depends on the arm that control came by.
"""

from collections.abc import Callable, Iterator, Sequence

from nnreuse.tracing.conditions import NOTHING, Literals, Path, contradict

MAX_CALLS = 600
MAX_MERGES = 300
MAX_EXPANDED = 24
_CALLS = (1 << MAX_CALLS) - 1
Arms = Sequence[tuple[Literals, int]]


class Lineages:
    """The merges of one trace. Past a bound, lineages that differ are united: more than is so, never less."""

    def __init__(self) -> None:
        self._merges: list[Arms] = []
        self._all: list[int] = []
        self._known: dict[Arms, int] = {}
        self._answers: dict[tuple[int, Path], int] = {}

    def merged(self, arms: Arms) -> int:
        """The lineage of a value that has one of several, each under its literals."""
        united = 0
        for _, lineage in arms:
            united |= lineage
        if all(lineage == united or not literals for literals, lineage in arms) or len(self._merges) >= MAX_MERGES:
            return united
        arms = tuple(arms)
        if arms not in self._known:
            self._known[arms] = 1 << (MAX_CALLS + len(self._merges))
            self._merges.append(arms)
            self._all.append(self._united(united))
        return self._known[arms]

    def calls(self, lineage: int, where: Path, possible: Callable[[Literals], bool]) -> int:
        """The calls in a lineage, without those on arms that cannot lead to `where`, of which `possible` is asked."""
        if lineage <= _CALLS:
            return lineage
        merges = lineage >> MAX_CALLS
        known = self._answers.get((merges, where))
        if known is None:
            known = self._answers[merges, where] = self._expanded(merges, possible)
        return lineage & _CALLS | known

    def _expanded(self, merges: int, possible: Callable[[Literals], bool]) -> int:
        """The calls behind merges."""
        found = 0
        queue = [(number, NOTHING) for number in _bits(merges)]
        seen = set(queue)
        while queue:
            number, literals = queue.pop()
            for arm, inner in self._merges[number]:
                if contradict(arm, literals) or not possible(arm | literals):
                    continue
                found |= inner & _CALLS
                for below in _bits(inner >> MAX_CALLS):
                    if (below, arm | literals) not in seen:
                        seen.add((below, arm | literals))
                        queue.append((below, arm | literals))
            if len(seen) > MAX_EXPANDED:
                return self._united(merges << MAX_CALLS)
        return found

    def _united(self, lineage: int) -> int:
        """The calls in a lineage, on whatever arms."""
        found = lineage & _CALLS
        for number in _bits(lineage >> MAX_CALLS):
            found |= self._all[number]
        return found


def _bits(number: int) -> Iterator[int]:
    """The positions of the bits that are set."""
    while number:
        lowest = number & -number
        number ^= lowest
        yield lowest.bit_length() - 1
